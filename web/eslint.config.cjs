// What eslint holds the page's sources to. Run by `make page-check`, which says where eslint is.

const js = require("@eslint/js");
const globals = require("globals");

module.exports = [
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-shadow": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-implicit-coercion": "off",
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", 50],
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Elements are made by h() of dom.js: nothing a job holds can turn into HTML." },
        { property: "outerHTML", message: "Elements are made by h() of dom.js." },
        { property: "insertAdjacentHTML", message: "Elements are made by h() of dom.js." },
      ],
    },
  },
  // A list of words, however long, is one thing.
  { files: ["**/words/*.js"], rules: { "max-lines": "off" } },
];
