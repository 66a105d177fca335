import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { findStructureProblems, readSources } from "./check-structure.ts";

test("the sources keep the import rules", () => {
  const sources = readSources(fileURLToPath(new URL("../src", import.meta.url)));
  expect(sources.length).toBeGreaterThan(30);
  expect(findStructureProblems(sources)).toEqual([]);
});

test.each([
  ["core/a.ts", 'import { b } from "../gateway/b.ts";', "may not import"],
  ["core/a.ts", 'import type { Readable } from "node:stream";', "may not import"],
  ["core/a.ts", 'export { x } from "lru-cache";', "may not import"],
  ["core/a.ts", 'const x = await import("node:fs");', "may not import"],
  ["protocols/native/a.ts", 'import fastify from "fastify";', "may not import"],
  ["stores/cache/a.ts", 'import { x } from "../../config/schema.ts";', "may not import"],
  ["stores/cache/a.ts", 'import { x } from "../../backends/onnx/x.ts";', "may not import"],
  ["gateway/a.ts", 'import {\n  x,\n  y,\n} from "../stores/cache/memory.ts";', "may not import"],
  ["config/a.ts", 'import { x } from "../core/errors.ts";', "may not import"],
  ["elsewhere/a.ts", "", "no folder"],
  ["core/long.ts", "\n".repeat(500), "more than 400 lines"],
])("%s with %j is refused", (path, text, problem) => {
  expect(findStructureProblems([{ path, text }]).join()).toContain(problem);
});

test("an import cycle is found, also one of types alone", () => {
  const problems = findStructureProblems([
    { path: "core/a.ts", text: 'import type { B } from "./b.ts";' },
    { path: "core/b.ts", text: 'import type { C } from "./c.ts";' },
    { path: "core/c.ts", text: 'import type { A } from "./a.ts";' },
  ]);
  expect(problems).toEqual(["import cycle: core/a.ts → core/b.ts → core/c.ts → core/a.ts"]);
});

test("inward imports, drivers' own libraries and tests pass", () => {
  const problems = findStructureProblems([
    { path: "core/errors.ts", text: "" },
    { path: "stores/cache/a.ts", text: 'import { LRUCache } from "lru-cache";' },
    { path: "gateway/a.ts", text: 'import { E } from "../core/errors.ts";' },
    { path: "core/a.test.ts", text: 'import { test } from "vitest";' },
  ]);
  expect(problems).toEqual([]);
});
