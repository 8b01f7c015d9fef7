import { defineConfig } from "vite";

import { onlyLexer, shortTemplates } from "./vite.plugins.js";

/** Builds the modules of the npm package, which the bundler of the page that uses them makes smaller. */
export default defineConfig({
  plugins: [shortTemplates, onlyLexer],
  // The scripts of a bundled page do not tell where the Tidings server is.
  define: { "import.meta.url": JSON.stringify("package:") },
  build: {
    outDir: "package/dist",
    emptyOutDir: true,
    target: "es2022",
    minify: false,
    lib: {
      formats: ["es"],
      entry: {
        index: "src/package/index.ts",
        server: "src/package/server.ts",
        client: "src/package/client.ts",
        react: "src/package/react.ts",
        vue: "src/package/vue.ts",
        "strings/de": "src/strings/de.ts",
      },
    },
    rollupOptions: {
      external: [/^lit(\/|$)/, "react", "vue"],
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "chunks/[name].js",
        // A React Server Component can import the wrappers.
        banner: (chunk) => (chunk.name === "react" ? '"use client";' : ""),
      },
    },
  },
});
