import type { Plugin } from "vite";

/** A style without the comments, lines and spaces that are for those who write it. */
const shortStyle = (style: string): string =>
  style
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};]) ?/g, "$1")
    .replace(/([,:]) /g, "$1")
    .replace(/;}/g, "}");

/** Lines and indents of styles and templates are for those who write them. */
export const shortTemplates: Plugin = {
  name: "short-templates",
  transform(code, id) {
    if (!id.includes("/src/")) {
      return undefined;
    }
    const short = code.replace(/\bcss`[^`]*`/g, shortStyle);
    // The page has commands that are shown as they are written.
    return id.includes("/src/page/") ? short : short.replace(/\n\s+/g, "\n");
  },
};

/**
 * Of `marked`, the page uses the lexer only; the parser and the shared instance behind it would be a fifth of its size.
 * The lexer never gets the option `pedantic`, so its rules for that are left out too.
 */
export const onlyLexer: Plugin = {
  name: "only-lexer",
  transform(code, id) {
    if (!id.endsWith("/marked.esm.js")) {
      return undefined;
    }
    const rest = code.search(/var \w+=new \w+;function \w+\(\w+,\w+\)\{return \w+\.parse\(/);
    const lexer = /\b(\w+) as Lexer\b/.exec(code)?.[1];
    if (rest < 0 || lexer === undefined) {
      throw new Error("`marked` has another shape now: adapt `onlyLexer` in vite.config.ts");
    }
    const unused = [...code.matchAll(/,pedantic:([a-z]\w*)/gi)].map(([, name]) => name ?? "");
    const used = unused.reduce(
      (rules, name) => rules.replace(`,${name}={`, `,${name}=!1&&{`),
      code.slice(0, rest).replaceAll("this.options.pedantic", "!1"),
    );
    return `${used}export{${lexer} as Lexer};`;
  },
};

/** Scripts that load later need nothing but what is loaded by then, so there is nothing to load beside them. */
export const plainImports: Plugin = {
  name: "plain-imports",
  enforce: "pre",
  load: (id) => (id.includes("vite/preload-helper") ? "export const __vitePreload = (load) => load();" : undefined),
};
