/** The manifest describes what other pages use: members that are private to the elements are left out. */
const onlyPublic = {
  name: "only-public",
  packageLinkPhase({ customElementsManifest: manifest }) {
    for (const module of manifest.modules) {
      // The built module that a page imports.
      module.path = "dist/index.js";
      module.exports = module.exports?.filter(({ kind }) => kind === "js");
      for (const declaration of module.declarations) {
        declaration.members = declaration.members?.filter(
          ({ name, privacy, inheritedFrom }) => privacy === undefined && !name.startsWith("#") && !inheritedFrom && !INNER.has(name),
        );
        // Others go from one part of an element to another.
        declaration.events = declaration.events?.filter(({ name }) => name.startsWith("tidings-"));
      }
      module.declarations = module.declarations.filter(({ customElement }) => customElement);
      for (const { declaration } of module.exports ?? []) {
        declaration.module = module.path;
      }
    }
    // Both elements are in one module.
    const [first, ...others] = manifest.modules;
    for (const { declarations, exports } of others) {
      first.declarations.push(...declarations);
      first.exports.push(...exports);
    }
    manifest.modules = [first];
    first.exports.push(
      ...first.declarations.map(({ tagName, name }) => ({
        kind: "custom-element-definition",
        name: tagName,
        declaration: { name, module: "dist/index.js" },
      })),
    );
  },
};

/** Methods of every element. */
const INNER = new Set(["connectedCallback", "disconnectedCallback", "attributeChangedCallback", "styles"]);

export default {
  globs: ["src/components/bell.ts", "src/components/inbox.ts"],
  outdir: "package",
  litelement: true,
  packagejson: false,
  plugins: [onlyPublic],
};
