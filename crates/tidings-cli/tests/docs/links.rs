//! The links between the Markdown pages of the repository.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Folders of builds and downloads. They can hold pages of other projects.
const SKIPPED_FOLDERS: [&str; 4] = ["target", "node_modules", ".git", ".venv"];

/// Pages that were read, with the anchors of their headings.
#[derive(Default)]
struct Anchors(HashMap<PathBuf, HashSet<String>>);

impl Anchors {
    fn contain(&mut self, page: &Path, anchor: &str) -> anyhow::Result<bool> {
        if !self.0.contains_key(page) {
            let text = fs::read_to_string(page)?;
            self.0.insert(page.to_owned(), anchors_of(&text));
        }
        Ok(self.0[page].contains(anchor))
    }
}

/// Reports every relative link of a page below `root` whose file or anchor does not exist.
pub(crate) fn broken_links(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut pages = Vec::new();
    collect_pages(root, &mut pages)?;
    pages.sort();
    let mut anchors = Anchors::default();
    let mut broken = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page)?;
        for (line, target) in links_of(&text) {
            if !target_exists(page, target, &mut anchors)? {
                let page = page.strip_prefix(root)?.display();
                broken.push(format!("{page}:{line}: `{target}` does not exist"));
            }
        }
    }
    Ok(broken)
}

fn collect_pages(folder: &Path, pages: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            if !SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped) {
                collect_pages(&path, pages)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

fn target_exists(page: &Path, target: &str, anchors: &mut Anchors) -> anyhow::Result<bool> {
    let has_scheme = target.contains("://") || target.starts_with("mailto:");
    if has_scheme {
        return Ok(true);
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = page.parent().expect("a page is in a folder");
    let file = match file {
        "" => page.to_owned(),
        file => folder.join(file),
    };
    let is_page = file.extension().is_some_and(|extension| extension == "md");
    Ok(file.exists() && (anchor.is_empty() || (is_page && anchors.contain(&file, anchor)?)))
}

/// The lines of a page outside of fenced blocks, numbered from 1.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_block = false;
    page.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        (!in_block && !is_fence).then_some((index + 1, line))
    })
}

/// The targets of inline links and images, with their lines. Link titles are not supported.
fn links_of(page: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (number, line) in prose(page) {
        // Every second part is code.
        for part in line.split('`').step_by(2) {
            let starts = part.match_indices("](").map(|(start, _)| start + 2);
            links.extend(starts.filter_map(|start| {
                let target = &part[start..];
                let end = target.find(')')?;
                Some((number, &target[..end]))
            }));
        }
    }
    links
}

/// The anchors of a page: those of its headings, and those given as `<a id="…">`.
fn anchors_of(page: &str) -> HashSet<String> {
    let mut anchors = HashSet::new();
    let mut headings: HashMap<String, usize> = HashMap::new();
    for (_, line) in prose(page) {
        if let Some((id, _)) = (line.split_once("<a id=\"")).and_then(|(_, id)| id.split_once('"'))
        {
            anchors.insert(id.to_owned());
        }
        if line.starts_with('#') {
            let anchor = heading_anchor(line.trim_start_matches('#').trim());
            let earlier = headings.entry(anchor.clone()).or_default();
            anchors.insert(match *earlier {
                0 => anchor,
                earlier => format!("{anchor}-{earlier}"),
            });
            *earlier += 1;
        }
    }
    anchors
}

/// The anchor that forges form from a heading: lower case, hyphens for spaces, no punctuation.
fn heading_anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|char| char.is_alphanumeric() || " -_".contains(*char));
    let lower = kept.flat_map(char::to_lowercase);
    lower
        .map(|char| if char == ' ' { '-' } else { char })
        .collect()
}

#[test]
fn finds_links_and_images_outside_of_code() {
    let page = "[a](b.md#c) and ![d](e.png)\n[`f`](g.rs) `[h](i)`\n```sh\n[j](k)\n```\n";
    assert_eq!(links_of(page), [(1, "b.md#c"), (1, "e.png"), (2, "g.rs")]);
}

#[test]
fn finds_anchors_of_headings_and_given_ones() {
    let page = "# One, `two_three` & four\n## Same\n```sh\n# comment\n```\n## Same\n\
                <a id=\"given\"></a>\n";
    let anchors = ["one-two_three--four", "same", "same-1", "given"].map(str::to_owned);
    assert_eq!(anchors_of(page), HashSet::from(anchors));
}

#[test]
fn reports_missing_files_and_headings() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("docs")).unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write(
        "README.md",
        "# Top\n[a](docs/b.md#here)\n[c](#top)\n[d](https://x.test/y)\n",
    );
    write("docs/b.md", "## Here\n[a](../README.md)\n");
    assert!(broken_links(directory.path()).unwrap().is_empty());
    write("docs/b.md", "## There\n[a](../missing.md)\n");
    assert_eq!(
        broken_links(directory.path()).unwrap(),
        [
            "README.md:2: `docs/b.md#here` does not exist",
            "docs/b.md:2: `../missing.md` does not exist",
        ]
    );
}
