import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkValue } from "./check-value.ts";
import { loadConfig } from "./load.ts";
import { renderConfigJsonSchema } from "./reference.ts";
import { configSchema } from "./schema.ts";
import type { ValueSchema } from "./setting.ts";
import { SETTINGS, toEnvironmentName, toFlagName } from "./setting-list.ts";

const ajv = new Ajv2020({ strict: false, validateFormats: false });

describe("configSchema", () => {
  it("describes every setting in one to three sentences", () => {
    for (const { path, description } of SETTINGS) {
      expect(description, path).toMatch(/^[A-Z`0-9].*\.$/s);
      expect(description.length, path).toBeLessThanOrEqual(260);
    }
  });

  it("describes every section", () => {
    for (const [name, child] of Object.entries(configSchema.properties)) {
      expect(child.description, name).toMatch(/\.$/);
    }
  });

  it("gives every setting a default that its own check accepts", () => {
    for (const { path, schema, defaultValue } of SETTINGS) {
      expect(defaultValue, path).toBeDefined();
      expect(checkValue(schema, defaultValue, path)).toEqual([]);
    }
  });

  it("gives every setting a path and environment names of its own", () => {
    const paths = SETTINGS.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    const names = SETTINGS.flatMap(({ environmentNames }) => environmentNames);
    expect(new Set(names).size).toBe(names.length);
    for (const { environmentNames } of SETTINGS) {
      expect(environmentNames[0]).toMatch(/^SLUICE_[A-Z0-9_]+$/);
    }
  });

  it("bounds every number on both sides", () => {
    for (const { path, schema } of SETTINGS) {
      if (schema.type !== "integer" && schema.type !== "number") continue;
      expect(schema.minimum, path).toBeTypeOf("number");
      expect(schema.maximum, path).toBeTypeOf("number");
    }
  });

  it("accepts the default configuration as a JSON Schema validator reads it", () => {
    const { config } = loadConfig({ env: {}, flags: {}, directory: "does-not-exist" });
    const validate = ajv.compile(configSchema);
    expect(validate(config), ajv.errorsText(validate.errors)).toBe(true);
    const validateForEditors = ajv.compile(JSON.parse(renderConfigJsonSchema()));
    expect(validateForEditors(config)).toBe(true);
  });
});

describe("checkValue", () => {
  const settings = SETTINGS.filter(({ schema }) => !usesFormats(schema));
  const cases = settings.map((setting) => ({ ...setting, validate: ajv.compile(setting.schema) }));

  it("decides as a full JSON Schema validator does", () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), arbitraryValue(), ({ schema, validate }, value) => {
        expect(checkValue(schema, value, "setting").length === 0).toBe(validate(value));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["2030-01-31T00:00:00Z", true],
    ["2030-01-31T00:00:00.5+02:00", true],
    ["2030-02-30T00:00:00Z", false],
    ["2030-01-31T00:00:00", false],
    ["2030-01-31", false],
    ["tomorrow", false],
  ])("takes %j as a date and time with zone: %j", (value, isValid) => {
    const violations = checkValue({ type: "string", format: "date-time" }, value, "at");
    expect(violations.length === 0).toBe(isValid);
  });

  it.each([
    ["10.0.0.0/8", true],
    ["192.168.1.1", true],
    ["2001:db8::/32", true],
    ["10.0.0.0/33", false],
    ["10.0.0.0/8/8", false],
    ["10.0.0/8", false],
    ["proxy.example", false],
  ])("takes %j as an address range: %j", (value, isValid) => {
    const violations = checkValue({ type: "string", format: "address-range" }, value, "range");
    expect(violations.length === 0).toBe(isValid);
  });
});

describe("names", () => {
  it("derives the environment name and the flag from the path", () => {
    expect(toEnvironmentName("batching.maxBatchItems")).toBe("SLUICE_BATCHING_MAX_BATCH_ITEMS");
    expect(toFlagName("batching.maxBatchItems")).toBe("--batching.max-batch-items");
  });
});

function usesFormats(schema: ValueSchema): boolean {
  return (
    schema.format !== undefined ||
    (schema.items !== undefined && usesFormats(schema.items)) ||
    Object.values(schema.properties ?? {}).some(usesFormats)
  );
}

/** Values near the borders of what settings accept, and values far from them. */
function arbitraryValue(): fc.Arbitrary<unknown> {
  const words = SETTINGS.flatMap(({ schema }) => schema.enum ?? []);
  const bounds = SETTINGS.flatMap(({ schema }) => [schema.minimum ?? 0, schema.maximum ?? 0]).map(
    Math.trunc,
  );
  return fc.oneof(
    fc.constantFrom(...words),
    fc.constantFrom(...bounds).chain((bound) => fc.integer({ min: bound - 1, max: bound + 1 })),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.string(),
    fc.dictionary(fc.constantFrom("a", "a-b", "A", ""), fc.constantFrom("1.0.0", "01.0.0", 1)),
    fc.jsonValue(),
  );
}
