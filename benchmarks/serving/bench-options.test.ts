import { describe, expect, test } from "vitest";
import { parseBenchOptions } from "./bench-options.ts";

describe("parseBenchOptions", () => {
  test("measures everything but the peers unless told otherwise", () => {
    const parts = [...(parseBenchOptions([])?.parts ?? [])];
    expect(parts).toContain("load");
    expect(parts).not.toContain("peers");
    expect([...(parseBenchOptions(["--peers"])?.parts ?? [])]).toContain("peers");
  });

  test("a quick run writes nothing unless it is told where", () => {
    expect(parseBenchOptions(["--quick"])?.outDirectory).toBeUndefined();
    expect(parseBenchOptions(["--quick", "--out", "/x"])?.outDirectory).toBe("/x");
    expect(parseBenchOptions([])?.outDirectory).toMatch(/benchmarks\/results$/);
  });

  test("an unknown part is refused with the list of those there are", () => {
    expect(() => parseBenchOptions(["--only", "load,speed"])).toThrow(/speed; there are load/);
  });

  test("what stands behind -- are settings of the server", () => {
    const options = parseBenchOptions(["--only", "load", "--", "--inference.workers", "2"]);
    expect(options?.flags).toEqual(["--inference.workers", "2"]);
  });
});
