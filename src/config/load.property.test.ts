import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { loadConfig } from "./load.ts";
import { findRelationProblems } from "./relations.ts";
import type { Config } from "./schema.ts";
import type { ValueSchema } from "./setting.ts";
import type { Setting } from "./setting-list.ts";
import { SETTINGS } from "./setting-list.ts";

const directory = mkdtempSync(join(tmpdir(), "sluice-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it("gives the same configuration again from its own YAML", () => {
  const file = join(directory, "again.yaml");
  fc.assert(
    fc.property(arbitraryConfig(), (config) => {
      writeFileSync(file, stringify(config));
      expect(loadConfig({ file, env: {}, flags: {} }).config).toEqual(config);
    }),
  );
});

it("gives the same configuration from the file, from the environment and from flags", () => {
  fc.assert(
    fc.property(arbitraryConfig(), (config) => {
      const texts = SETTINGS.flatMap((setting) => {
        const value = readPath(config, setting.path);
        if (value === undefined) return [];
        return [[setting, typeof value === "string" ? value : JSON.stringify(value)] as const];
      });
      const env = Object.fromEntries(texts.map(([s, text]) => [s.environmentNames[0], text]));
      const flags = Object.fromEntries(texts.map(([s, text]) => [s.path, text]));
      expect(loadConfig({ directory, env, flags: {} }).config).toEqual(config);
      expect(loadConfig({ directory, env: {}, flags }).config).toEqual(config);
    }),
  );
});

it("answers any environment and any flags with a configuration or with ConfigError", () => {
  const names = SETTINGS.flatMap(({ environmentNames }) => environmentNames);
  const paths = SETTINGS.map(({ path }) => path);
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.string()),
      fc.dictionary(fc.oneof(fc.constantFrom(...paths), fc.string()), fc.string()),
      (env, flags) => {
        try {
          loadConfig({ directory, env, flags });
        } catch (error) {
          expect(error).toHaveProperty("name", "ConfigError");
        }
      },
    ),
  );
});

it("answers any file with a configuration or with ConfigError", () => {
  const file = join(directory, "any.yaml");
  const keys = fc.constantFrom("server", "port", "cache", "store", "driver", "auth", "keys", "id");
  const tree = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof({ depthSize: "small" }, fc.jsonValue(), fc.dictionary(keys, tie("node"))),
  })).node;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        tree.map((value) => stringify(value)),
      ),
      (content) => {
        writeFileSync(file, content);
        try {
          loadConfig({ file, env: {}, flags: {} });
        } catch (error) {
          expect(error).toHaveProperty("name", "ConfigError");
        }
      },
    ),
  );
});

function arbitraryConfig(): fc.Arbitrary<Config> {
  const values = fc.tuple(...SETTINGS.map((setting) => arbitraryValue(setting.schema)));
  return values
    .map((all) => toConfig(SETTINGS.map((setting, index) => [setting, all[index]] as const)))
    .filter((config) => findRelationProblems(config, new Map()).length === 0);
}

function toConfig(entries: readonly (readonly [Setting, unknown])[]): Config {
  const byPath = new Map(entries.map(([{ path }, value]) => [path, value]));
  const config: Record<string, unknown> = {};
  for (const [{ path, driver }, value] of entries) {
    if (driver !== undefined && byPath.get(driver.choice) !== driver.name) continue;
    const parts = path.split(".");
    let group = config;
    for (const part of parts.slice(0, -1)) {
      group[part] ??= {};
      group = group[part] as Record<string, unknown>;
    }
    group[parts.at(-1) ?? path] = value;
  }
  return config as unknown as Config;
}

function readPath(config: Config, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], config);
}

function arbitraryValue(schema: ValueSchema): fc.Arbitrary<unknown> {
  const { minimum: min = 0, maximum: max = 0 } = schema;
  switch (schema.type) {
    case "integer":
      return fc.integer({ min, max });
    case "number":
      return fc.integer({ min: min * 100, max: max * 100 }).map((hundredths) => hundredths / 100);
    case "boolean":
      return fc.boolean();
    case "string":
      return arbitraryText(schema);
    case "array":
      return fc.array(arbitraryValue(schema.items ?? { type: "boolean" }), { maxLength: 3 });
    case "object":
      return arbitraryObject(schema);
  }
}

function arbitraryText(schema: ValueSchema): fc.Arbitrary<string> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
  if (schema.format === "address-range")
    return fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant("10.0.0.0/8"));
  if (schema.format === "date-time") {
    const min = new Date("2000-01-01T00:00:00Z");
    const max = new Date("2100-01-01T00:00:00Z");
    return fc.date({ min, max, noInvalidDate: true }).map((date) => date.toISOString());
  }
  return fc.string({ minLength: 1 });
}

function arbitraryObject(schema: ValueSchema): fc.Arbitrary<unknown> {
  if (typeof schema.additionalProperties === "object") {
    const names = arbitraryText(schema.propertyNames ?? { type: "string" });
    return fc.dictionary(names, arbitraryValue(schema.additionalProperties), { maxKeys: 3 });
  }
  const properties = Object.entries(schema.properties ?? {});
  const model = Object.fromEntries(properties.map(([key, child]) => [key, arbitraryValue(child)]));
  return fc.record(model, { requiredKeys: [...(schema.required ?? [])] });
}
