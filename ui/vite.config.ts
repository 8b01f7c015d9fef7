import { defineConfig } from "vite";

import { onlyLexer, plainImports, shortTemplates } from "./vite.plugins.js";

/** Where the server takes the built files from. */
const BUILT = "../crates/tidings-server/ui";

/** The mode that builds the elements without the server's own page. */
const STANDALONE = "standalone";

/** The modules of the bell and the inbox, without what loads later and what only the server's page has. */
const AT_ONCE =
  /\/node_modules\/(@lit|lit)|@oxc|\/src\/(strings\/(en|number|strings)|api|inbox|stream|tabs|notify)\b|\/src\/components\/(?!dialogs)[^/]+\.ts$/;

export default defineConfig(({ mode }) => ({
  plugins: [shortTemplates, onlyLexer, plainImports],
  // Wherever the files are served, they find each other.
  base: "./",
  build: {
    outDir: BUILT,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { ...(mode === STANDALONE ? {} : { page: "index.html" }), tidings: "src/tidings.ts" },
      preserveEntrySignatures: "strict",
      output: {
        // Pages elsewhere name this file; all others are named after their content.
        entryFileNames: (chunk) => (chunk.name === "tidings" ? "tidings.js" : "assets/[name]-[hash].js"),
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
        // What a page with a bell or an inbox needs at once is one file.
        codeSplitting: { groups: [{ name: "bell", test: AT_ONCE }] },
      },
    },
  },
}));
