import { type Plugin, defineConfig } from "vite";

/** Where the server takes the built files from. */
const BUILT = "../crates/tidings-server/ui";

/** Lines and indents of styles are for those who write them. */
const shortStyles: Plugin = {
  name: "short-styles",
  transform(code, id) {
    return id.includes("/src/")
      ? code.replace(/\bcss`[^`]*`/g, (style) => style.replace(/\s+/g, " "))
      : undefined;
  },
};

export default defineConfig({
  plugins: [shortStyles],
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
