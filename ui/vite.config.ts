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

export default defineConfig({
  plugins: [shortTemplates],
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
