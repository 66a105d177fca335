import { describe, expect, it } from "vitest";
import type { ConfigProblem } from "./config-error.ts";
import { ConfigError } from "./config-error.ts";
import { parseConfigFile } from "./read-file.ts";
import { resolveLayers } from "./resolve-layers.ts";

describe("parseConfigFile", () => {
  it("reports unknown names with their line and the name that was meant", () => {
    const yaml = "server:\n  prot: 1\nbatchin: {}\nport: 2\nmax_batch_items: 3\n";
    const problems = findProblems(yaml);
    expect(problems.map(({ path, advice }) => [path, advice])).toEqual([
      ["server.prot", "Did you mean server.port?"],
      ["batchin", "Did you mean batching?"],
      ["port", "Did you mean server.port?"],
      ["max_batch_items", "Did you mean batching.maxBatchItems?"],
    ]);
    expect(problems[0]?.source).toMatchObject({ kind: "file", line: 2, column: 3 });
  });

  it("reports a syntax error with line and column", () => {
    const [problem] = findProblems("server:\n  port: [1\nhost: 2\n");
    expect(problem).toMatchObject({ expected: "valid YAML", source: { kind: "file", line: 3 } });
  });

  it.each([
    "- 1",
    "text",
    "server: 1",
    "server: []",
    "a: *nowhere",
    "server: { port: 1, port: 2 }",
  ])("refuses the file %j", (yaml) => expect(findProblems(yaml).length).toBeGreaterThan(0));

  it("does not read text as a number, nor a number as text", () => {
    expect(findProblems('server: { port: "80" }')).toHaveLength(1);
    expect(findProblems("models: { directory: 5 }")).toHaveLength(1);
  });

  it("points at the line of a mistake inside a list, and never repeats a secret", () => {
    const yaml = `auth:\n  keys:\n    - id: Shop\n      sha256: hunter2\n      sha: x\n`;
    const problems = findProblems(yaml);
    expect(problems.map(({ path, source }) => [path, "line" in source && source.line])).toEqual([
      ["auth.keys[0].id", 3],
      ["auth.keys[0].sha256", 4],
      ["auth.keys[0].sha", 5],
    ]);
    expect(new ConfigError(problems).message).not.toContain("hunter2");
  });

  it("does not take a name of every object for a setting", () => {
    expect(findProblems("__proto__: { port: 1 }\nconstructor: 1\n")).toHaveLength(2);
    expect(findProblems("server: { toString: 1 }")).toHaveLength(1);
  });
});

function findProblems(yaml: string): readonly ConfigProblem[] {
  const layer = parseConfigFile("sluice.yaml", yaml);
  return [...layer.problems, ...resolveLayers([layer]).problems];
}
