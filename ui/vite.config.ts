import { type Plugin, defineConfig } from "vite";

/** Where the server takes the built files from. */
const BUILT = "../crates/tidings-server/ui";

/** A style without the comments, lines and spaces that are for those who write it. */
const shortStyle = (style: string): string =>
  style
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};]) ?/g, "$1")
    .replace(/([,:]) /g, "$1")
    .replace(/;}/g, "}");

/** Lines and indents of styles and templates are for those who write them. */
const shortTemplates: Plugin = {
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

/** Of `marked`, the page uses the lexer only; the parser and the shared instance behind it would be a fifth of its size. */
const onlyLexer: Plugin = {
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
    return `${code.slice(0, rest)}export{${lexer} as Lexer};`;
  },
};

export default defineConfig({
  plugins: [shortTemplates, onlyLexer],
  // Wherever the files are served, they find each other.
  base: "./",
  build: {
    outDir: BUILT,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { page: "index.html", tidings: "src/tidings.ts" },
      preserveEntrySignatures: "strict",
      output: {
        // Pages elsewhere name this file; all others are named after their content.
        entryFileNames: (chunk) => (chunk.name === "tidings" ? "tidings.js" : "assets/[name]-[hash].js"),
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});
