import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
    // A window's events, for what waits for the browser to be online again.
    setupFiles: ["src/window.setup.ts"],
  },
});
