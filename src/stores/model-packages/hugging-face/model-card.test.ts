import { expect, test } from "vitest";
import { parseModelCard } from "./model-card.ts";

const card = (...lines: string[]) => ["---", ...lines, "---", "# Model", ""].join("\n");

test.each([
  ["one value", card("language: en"), ["en"]],
  ["a list in one line", card("language: [en, 'zh-Hans', \"de\"]"), ["en", "zh-Hans", "de"]],
  [
    "a list over lines",
    card("language:", "- en", "  - zh # Chinese", "tags:", "- x"),
    ["en", "zh"],
  ],
  ["Norwegian, which YAML takes for a boolean", card("language: no"), ["no"]],
  ["Windows line ends", card("language:", "- en", "- de").replaceAll("\n", "\r\n"), ["en", "de"]],
  ["a byte order mark", `\ufeff${card("language: en")}`, ["en"]],
  ["another key of the same beginning", card("language_details: x"), []],
  ["an empty list", card("language: []"), []],
  ["nothing", card("license: mit"), []],
  ["a text without metadata", "# Model\n\nlanguage: en\n", []],
  ["metadata that does not end", "---\nlanguage: en\n", []],
  ["no text", "", []],
])("languages: %s", (_name, readme, expected) => {
  expect(parseModelCard(readme).languages).toEqual(expected);
});

test.each([
  [card("license: apache-2.0"), "apache-2.0"],
  [card('license: "mit"'), "mit"],
  [card("license: other", "license_name: own-terms"), "own-terms"],
  [card("license: other"), "other"],
  [card("license:", "- mit", "- apache-2.0"), "mit"],
  [card("language: en"), undefined],
])("the licence of %j", (readme, expected) => {
  expect(parseModelCard(readme).license).toBe(expected);
});
