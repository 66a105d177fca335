import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseManifest } from "./manifest.ts";
import { ModelRegistry } from "./registry.ts";
import type { RoutableVersion, RoutingRules } from "./routing-table.ts";
import { buildRoutingTable } from "./routing-table.ts";
import { compareVersions } from "./version-number.ts";
import { assertTransition, isLegalTransition, VERSION_STATES } from "./version-state.ts";

describe("version states", () => {
  test("every state can be reached and left, and ready is reached only through warming", () => {
    for (const state of VERSION_STATES) {
      expect(VERSION_STATES.some((next) => isLegalTransition(state, next))).toBe(true);
    }
    const before = VERSION_STATES.filter((state) => isLegalTransition(state, "ready"));
    expect(before).toEqual(["warming"]);
  });

  test("no sequence of commands brings a version into a state against the table", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...VERSION_STATES)), (commands) => {
        const registry = new ModelRegistry();
        registry.discover("m", "1.0.0");
        let expected = "discovered";
        for (const to of commands) {
          const legal = isLegalTransition(expected as (typeof VERSION_STATES)[number], to);
          if (legal) {
            registry.transition("m", "1.0.0", to);
            expected = to;
          } else {
            expect(() => registry.transition("m", "1.0.0", to)).toThrow(/cannot go/);
          }
          expect(registry.list()[0]?.state).toBe(expected);
        }
      }),
    );
  });

  test("an illegal step names both states", () => {
    expect(() => assertTransition("discovered", "ready")).toThrow("from discovered to ready");
  });
});

describe("routing by language", () => {
  const kind = "text";
  const versions = [
    { model: "m", version: "1.0.0", languages: ["en", "zh"], kind },
    { model: "m", version: "1.1.0", languages: ["zh"], kind },
    { model: "m", version: "2.0.0", languages: ["en"], kind },
  ];
  const routeOf = (ready: readonly RoutableVersion[], pinned = {}, byLanguage = true) =>
    buildRoutingTable(ready, { pinned, byLanguage, onNew: "highest" }).get("m");

  test("a language that the default version lacks goes to the newest version that has it", () => {
    expect(routeOf(versions, {}, true)?.languageVersions).toEqual(new Map([["zh", "1.1.0"]]));
  });

  test("a default version that has the language, or states none, keeps its texts", () => {
    expect(routeOf(versions, { m: "1.0.0" }, true)?.languageVersions.size).toBe(0);
    const silent = [...versions, { model: "m", version: "3.0.0", languages: [], kind }];
    expect(routeOf(silent, {}, true)?.languageVersions.size).toBe(0);
  });

  test("switched off, every text goes to the default version", () => {
    expect(routeOf(versions, {}, false)?.languageVersions.size).toBe(0);
  });
});

describe("routing", () => {
  const ready = (...versions: string[]): RoutableVersion[] =>
    versions.map((name) => {
      const [version = "", kind = "same"] = name.split(" ");
      return { model: "m", version, languages: [], kind };
    });
  interface Case {
    readonly pinned?: Readonly<Record<string, string>>;
    readonly onNew?: RoutingRules["onNew"];
    readonly before?: string;
  }
  const answering = (
    versions: readonly string[],
    { pinned = {}, onNew = "highest", before }: Case,
  ) => {
    const rules = { pinned, byLanguage: true, onNew };
    const route = { defaultVersion: before ?? "", languageVersions: new Map() };
    const table = before === undefined ? undefined : new Map([["m", route]]);
    return buildRoutingTable(ready(...versions), rules, table).get("m")?.defaultVersion;
  };
  const pinned = { m: "1.2.0" };

  test.each<[string, readonly string[], Case, string | undefined]>([
    ["the highest, by number and not by letters", ["1.9.0", "1.10.0", "1.2.0"], {}, "1.10.0"],
    ["the pinned one", ["1.9.0", "1.2.0"], { pinned }, "1.2.0"],
    ["the pinned one, in any order", ["1.2.0", "1.9.0"], { pinned }, "1.2.0"],
    ["the highest while the pinned one is not ready", ["1.9.0", "1.8.0"], { pinned }, "1.9.0"],
    [
      "a new one of the same kind",
      ["1.0.0", "1.1.0"],
      { onNew: "switch", before: "1.0.0" },
      "1.1.0",
    ],
    [
      "no new one of another kind",
      ["1.0.0", "1.1.0 x"],
      { onNew: "switch", before: "1.0.0" },
      "1.0.0",
    ],
    [
      "the highest of the same kind",
      ["1.0.0", "1.1.0", "1.2.0 x"],
      { onNew: "switch", before: "1.0.0" },
      "1.1.0",
    ],
    [
      "another kind when it is all there is",
      ["1.1.0 x"],
      { onNew: "switch", before: "1.0.0" },
      "1.1.0",
    ],
    [
      "another kind when it is pinned",
      ["1.0.0", "1.2.0 x"],
      { pinned, onNew: "switch", before: "1.0.0" },
      "1.2.0",
    ],
    [
      "no new one where they are held",
      ["1.0.0", "1.1.0"],
      { onNew: "hold", before: "1.0.0" },
      "1.0.0",
    ],
    [
      "a pinned new one where they are held",
      ["1.0.0", "1.2.0"],
      { pinned, onNew: "hold", before: "1.0.0" },
      "1.2.0",
    ],
    [
      "the highest where the held one is gone",
      ["1.1.0", "1.2.0"],
      { onNew: "hold", before: "1.0.0" },
      "1.2.0",
    ],
    ["nobody where none is ready", [], { before: "1.0.0" }, undefined],
  ])("%s answers", (_name, versions, options, expected) => {
    expect(answering(versions, options)).toBe(expected);
  });

  test("versions are totally ordered", () => {
    const version = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map((parts) => parts.join("."));
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        expect(compareVersions(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe("manifest", () => {
  const valid = {
    schema: "sluice.model/v1",
    name: "my-model",
    version: "1.0.0",
    task: "classification",
    problemType: "single_label_classification",
    labels: ["a", "b"],
    languages: ["en"],
    tokenizer: { kind: "hashed-ngrams" },
    model: { path: "model.onnx", sha256: "a".repeat(64) },
    inputs: { ids: "ids", padId: 0 },
    outputs: { logits: "logits" },
    description: "A model.",
    license: "Apache-2.0",
  };

  test("a complete manifest passes, with extra fields of training tools", () => {
    expect(parseManifest({ ...valid, metrics: { accuracy: 0.9 } }).name).toBe("my-model");
  });

  test.each([
    ["name", { ...valid, name: "My Model" }],
    ["version", { ...valid, version: "1.0" }],
    ["labels", { ...valid, labels: ["a", "a"] }],
    ["labels", { ...valid, labels: ["a"] }],
    ["model.path", { ...valid, model: { ...valid.model, path: "../../etc/passwd" } }],
    ["model.sha256", { ...valid, model: { ...valid.model, sha256: "xyz" } }],
    ["tokenizer.kind", { ...valid, tokenizer: null }],
    ["inputs.padId", { ...valid, inputs: { ids: "ids", padId: -1 } }],
    ["schema", { ...valid, schema: "sluice.model/v2" }],
  ])("a wrong %s is named", (field, manifest) => {
    expect(() => parseManifest(manifest)).toThrow(new RegExp(field.replace(".", "\\.")));
  });

  test("all mistakes are reported together", () => {
    try {
      parseManifest({ ...valid, name: "", version: "x", labels: [] });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "invalid_argument",
        details: [{ field: "name" }, { field: "version" }, { field: "labels" }],
      });
    }
  });
});
