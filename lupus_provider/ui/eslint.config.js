// Lint rules: types, hooks, accessibility, and the floors app → features → charts/components/api/lib.
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** Imports that a floor must not make, with the sentence that says why. */
const forbid = (files, group, message) => ({ files, rules: { "no-restricted-imports": ["error", { patterns: [{ group, message }] }] } });

const features = ["discover", "series"];

export default tseslint.config(
  { ignores: ["dist", "dev/.host", "node_modules", "src/api/types.gen.ts"] },
  ...tseslint.configs.recommended,
  reactHooks.configs.flat.recommended,
  jsxA11y.flatConfigs.recommended,
  {
    rules: {
      "@typescript-eslint/consistent-type-definitions": ["error", "type"],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "max-lines": ["error", 200],
      "max-params": ["error", 4],
      "no-restricted-syntax": [
        "error",
        { selector: "Literal[value=/^#[0-9a-fA-F]{3,8}$/]", message: "No hex colours: use a semantic token, or a variable of charts/palette.ts." },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Names of series come from data: never as HTML." },
      ],
    },
  },
  { files: ["dev/**"], rules: { "max-lines": "off", "react-hooks/static-components": "off", "no-restricted-syntax": "off" } },
  forbid(["src/charts/**", "src/components/**", "src/api/**", "src/lib/**"], ["**/app/**", "**/features/**"], "The shared floor knows no feature."),
  forbid(["src/lib/**", "src/api/**"], ["**/app/**", "**/features/**", "**/components/**", "**/charts/**", "react", "@chakra-ui/*"], "lib and api are without React."),
  forbid(["src/charts/**"], ["**/app/**", "**/features/**", "**/components/**"], "Charts know data, not cards."),
  ...features.map((name) =>
    forbid([`src/features/${name}/**`], ["**/app/**", ...features.filter((other) => other !== name).map((other) => `**/features/${other}/**`), ...features.filter((other) => other !== name).map((other) => `../${other}/**`), ...features.filter((other) => other !== name).map((other) => `../../${other}/**`)], "A feature imports no other feature, and never the app."),
  ),
  { files: ["src/**/*.test.{ts,tsx}", "src/testing/**"], rules: { "no-restricted-imports": "off" } },
);
