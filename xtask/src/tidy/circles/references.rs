//! The declarations of a module, and the paths that it names in imports, code, attributes and macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Macro, Meta, TraitItem, UseTree, Visibility};

/// A path as it is written, and the line it is on.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    /// Whether it is a `pub use`.
    pub(super) is_re_export: bool,
}

/// The content of a module without its modules.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The names that `use` brings into scope, each with its path.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// The paths before `::*`.
    pub(super) globs: Vec<Vec<String>>,
    /// The names of its types, functions, constants and macros.
    pub(super) items: BTreeSet<String>,
    /// Those of them that are no types.
    pub(super) values: BTreeSet<String>,
    pub(super) references: Vec<Reference>,
}

impl Content {
    /// Adds what an item declares and names, unless it is for tests.
    pub(super) fn add(&mut self, item: &Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        if let Item::Use(import) = item {
            for leaf in leaves(import) {
                match leaf.name {
                    Some(name) => {
                        self.imports.insert(name, leaf.path);
                    }
                    None => self.globs.push(leaf.path),
                }
            }
        }
        self.items.extend(declared_name(item));
        if matches!(
            item,
            Item::Const(_) | Item::Fn(_) | Item::Macro(_) | Item::Static(_)
        ) {
            self.values.extend(declared_name(item));
        }
        let mut finder = Finder::default();
        finder.visit_item(item);
        self.references.append(&mut finder.found);
    }
}

/// Whether an item is compiled for tests only.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return false;
        };
        let condition = list.tokens.to_string();
        let all_of = condition.strip_prefix("all").map(str::trim_start);
        list.path.is_ident("cfg")
            && (matches!(condition.as_str(), "test" | "doctest")
                || all_of.is_some_and(|all| all.starts_with("(test ,")))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn declared_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// One path of a `use`, with the name it is known by; a glob has none.
struct Leaf {
    path: Vec<String>,
    name: Option<String>,
    line: usize,
}

fn leaves(import: &ItemUse) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    add_leaves(&import.tree, &mut Vec::new(), &mut leaves);
    leaves
}

fn add_leaves(tree: &UseTree, prefix: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    let with = |segment: &dyn ToString| {
        let mut path = prefix.clone();
        path.push(segment.to_string());
        path
    };
    let line = tree.span().start().line;
    match tree {
        UseTree::Path(tree) => {
            prefix.push(tree.ident.to_string());
            add_leaves(&tree.tree, prefix, leaves);
            prefix.pop();
        }
        UseTree::Name(tree) if tree.ident == "self" => leaves.push(Leaf {
            path: prefix.clone(),
            name: prefix.last().cloned(),
            line,
        }),
        UseTree::Name(tree) => leaves.push(Leaf {
            path: with(&tree.ident),
            name: Some(tree.ident.to_string()),
            line,
        }),
        UseTree::Rename(tree) => leaves.push(Leaf {
            path: if tree.ident == "self" {
                prefix.clone()
            } else {
                with(&tree.ident)
            },
            name: Some(tree.rename.to_string()),
            line,
        }),
        UseTree::Glob(_) => leaves.push(Leaf {
            path: prefix.clone(),
            name: None,
            line,
        }),
        UseTree::Group(group) => {
            for tree in &group.items {
                add_leaves(tree, prefix, leaves);
            }
        }
    }
}

#[derive(Default)]
struct Finder {
    found: Vec<Reference>,
}

impl Finder {
    fn add(&mut self, path: Vec<String>, line: usize) {
        self.found.push(Reference {
            path,
            line,
            is_re_export: false,
        });
    }

    /// Finds paths that begin with `crate`, `super` or `self`. Other paths in macros cannot be told from
    /// names that the macro makes up.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut next = 0;
        while next < tokens.len() {
            match &tokens[next] {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Ident(first) if is_anchor(&first.to_string()) => {
                    let (path, line) = (path_at(&tokens[next..]), first.span().start().line);
                    // A path takes one token for each segment, and two for each `::`.
                    next += 3 * (path.len() - 1);
                    self.add(path, line);
                }
                TokenTree::Literal(literal) => {
                    // Such as `#[serde(with = "crate::moment")]`.
                    let text = literal.to_string();
                    let path: Vec<String> = text
                        .trim_matches('"')
                        .split("::")
                        .map(str::to_owned)
                        .collect();
                    if path.len() > 1 && is_anchor(&path[0]) {
                        let line = literal.span().start().line;
                        self.add(path, line);
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
            next += 1;
        }
    }
}

fn is_anchor(segment: &str) -> bool {
    matches!(segment, "crate" | "super" | "self")
}

/// The path that begins with the first token, an identifier.
fn path_at(tokens: &[TokenTree]) -> Vec<String> {
    let is_colon =
        |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':');
    let mut path = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(segment), after @ ..] = rest {
        path.push(segment.to_string());
        match after {
            [first, second, further @ ..] if is_colon(first) && is_colon(second) => rest = further,
            _ => break,
        }
    }
    path
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => item.attrs.as_slice(),
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes = match item {
            TraitItem::Const(item) => item.attrs.as_slice(),
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        let is_re_export = !matches!(import.vis, Visibility::Inherited);
        let leaves = leaves(import).into_iter();
        self.found.extend(leaves.map(|leaf| Reference {
            path: leaf.path,
            line: leaf.line,
            is_re_export,
        }));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        let segments = segments.map(|segment| segment.ident.to_string());
        self.add(segments.collect(), path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.visit_path(&called.path);
        self.scan(called.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.scan(list.tokens.clone()),
            // Links in documentation are not imports.
            Meta::NameValue(_) | Meta::Path(_) => {}
        }
    }
}
