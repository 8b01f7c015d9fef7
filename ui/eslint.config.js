import { configs as lit } from "eslint-plugin-lit";
import tseslint from "typescript-eslint";

/** Who may import whom: each layer those before it. */
const LAYERS = ["api", "stream", "tabs", "inbox", "notify", "components", "package", "page"];

const layered = LAYERS.map((layer, place) => ({
  files: [`src/${layer}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: LAYERS.slice(place + 1).map((later) => ({
          group: [`**/${later}/**`],
          message: `${layer} comes before ${later}`,
        })),
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["node_modules/", "package/", "src/api/schema.ts"] },
  {
    files: ["src/**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, lit["flat/recommended"]],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Numbers in texts are written by `Intl` where they are shown.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  ...layered,
);
