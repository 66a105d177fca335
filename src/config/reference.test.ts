import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfigFile } from "./read-file.ts";
import { renderConfigJsonSchema, renderConfigurationReference } from "./reference.ts";
import { resolveLayers } from "./resolve-layers.ts";
import { configSchema } from "./schema.ts";
import { SETTINGS } from "./setting-list.ts";

const page = renderConfigurationReference(configSchema);
const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? "";

describe("renderConfigurationReference", () => {
  it("gives every setting a row with its environment names and its sentence", () => {
    for (const { path, environmentNames, description } of SETTINGS) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${path}\` |`));
      for (const name of environmentNames) expect(row, path).toContain(`\`${name}\``);
      expect(row).toContain(description);
    }
  });

  it("names unit and range", () => {
    expect(page).toContain("whole number of milliseconds, 0 to 1000 |");
    expect(page).toContain("whole number of bytes, ");
  });

  it("shows an example that loads", () => {
    const layer = parseConfigFile("example", example);
    expect(layer.problems).toEqual([]);
    expect(layer.assignments.length).toBeGreaterThan(4);
    expect(resolveLayers([layer]).problems).toEqual([]);
  });

  it("writes tables whose rows all have the same number of cells", () => {
    for (const line of page.split("\n").filter((text) => text.startsWith("| `"))) {
      expect([5, 6, 7]).toContain(line.split(/(?<!\\)\|/).length);
    }
  });
});

describe("renderConfigJsonSchema", () => {
  const validate = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    validateFormats: false,
  }).compile(JSON.parse(renderConfigJsonSchema()));

  it("is JSON Schema without foreign keywords and accepts the example", () => {
    expect(validate(parse(example))).toBe(true);
    expect(validate({})).toBe(true);
  });

  it("refuses unknown names, values out of range and keys without a hash", () => {
    expect(validate({ servr: {} })).toBe(false);
    expect(validate({ server: { port: 65_536 } })).toBe(false);
    expect(validate({ auth: { keys: [{ id: "a" }] } })).toBe(false);
  });
});

describe("docs/reference", () => {
  it("holds what the settings say today", () => {
    const read = (name: string) =>
      readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), "utf8");
    expect(read("configuration.md")).toBe(page);
    expect(read("config.schema.json")).toBe(renderConfigJsonSchema());
  });
});
