import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LineEntry } from "./fair-line.ts";
import { FairLine } from "./fair-line.ts";

interface Entry extends LineEntry {
  readonly name: string;
}

const entryOf = (name: string, tokens: number, flow: string, weight = 1): Entry => ({
  name,
  tokens,
  flow: { id: flow, weight },
  startTag: 0,
  isWaiting: false,
});

/** Serves one entry at a time until `tokens` ids have left; ids per flow. */
function serveTokens(line: FairLine<Entry>, tokens: number): Record<string, number> {
  const served: Record<string, number> = {};
  for (let left = tokens; left > 0; ) {
    const { next } = line;
    if (next === undefined) break;
    line.serve([next]);
    left -= next.tokens;
    served[next.flow.id] = (served[next.flow.id] ?? 0) + next.tokens;
  }
  return served;
}

describe("a fair line", () => {
  test("with one flow it is first come, first served", () => {
    const line = new FairLine<Entry>();
    for (const name of ["a", "b", "c"]) line.push(entryOf(name, 10, "one"));
    expect(line.candidates(10, 0).map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  test("a flow that asks for little goes before what others have piled up", () => {
    const line = new FairLine<Entry>();
    for (let i = 0; i < 100; i++) line.push(entryOf(`flood ${i}`, 20, "flood"));
    serveTokens(line, 200);
    line.push(entryOf("light", 20, "light"));
    expect(line.next?.name).toMatch(/flood 9|flood 10|light/);
    serveTokens(line, 40);
    expect(line.candidates(100, Number.POSITIVE_INFINITY).map(({ name }) => name)).not.toContain(
      "light",
    );
  });

  test.each([
    [1, 1],
    [1, 3],
    [5, 1],
  ])("two floods of weights %i and %i share the ids in that proportion", (first, second) => {
    const line = new FairLine<Entry>();
    for (let i = 0; i < 300; i++) {
      line.push(entryOf(`a${i}`, 10 + (i % 7), "a", first));
      line.push(entryOf(`b${i}`, 10 + (i % 5), "b", second));
    }
    const { a = 0, b = 0 } = serveTokens(line, 2000);
    expect(a / (a + b)).toBeCloseTo(first / (first + second), 1);
  });

  test("neighbours from other flows come along only when their turn is near", () => {
    const line = new FairLine<Entry>();
    for (let i = 0; i < 10; i++) line.push(entryOf(`a${i}`, 10, "a"));
    for (let i = 0; i < 10; i++) line.push(entryOf(`b${i}`, 10, "b"));
    const names = line.candidates(100, 25).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("a"))).toHaveLength(10);
    expect(names.filter((name) => name.startsWith("b"))).toEqual(["b0", "b1", "b2"]);
  });

  test("its share tells what a flow may claim, present or new", () => {
    const line = new FairLine<Entry>();
    expect(line.shareOf({ id: "a", weight: 2 })).toBe(1);
    line.push(entryOf("x", 1, "a", 3));
    expect(line.shareOf({ id: "a", weight: 3 })).toBe(1);
    expect(line.shareOf({ id: "b", weight: 1 })).toBe(0.25);
  });

  test("sizes are exact whatever leaves from wherever, and everything leaves once", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("push" as const),
        tokens: fc.integer({ min: 1, max: 30 }),
        flow: fc.constantFrom("a", "b", "c"),
        weight: fc.constantFrom(1, 2),
      }),
      fc.record({ kind: fc.constant("remove" as const), index: fc.nat({ max: 50 }) }),
      fc.record({ kind: fc.constant("serve" as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant("removeWhere" as const), odd: fc.boolean() }),
    );
    type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
    const apply = (line: FairLine<Entry>, waiting: Set<Entry>, one: Step): readonly Entry[] => {
      if (one.kind === "push") {
        const entry = entryOf("", one.tokens, one.flow, one.weight);
        line.push(entry);
        waiting.add(entry);
        return [];
      }
      if (one.kind === "remove") {
        const entry = [...waiting][one.index];
        if (entry === undefined) return [];
        expect([line.remove(entry), line.remove(entry)]).toEqual([true, false]);
        return [entry];
      }
      if (one.kind === "removeWhere") {
        return line.removeWhere(({ tokens }) => (tokens % 2 === 1) === one.odd);
      }
      const served = line.candidates(one.count, 10);
      line.serve(served);
      return served;
    };
    const tagsOf = (entries: readonly Entry[]) => entries.map(({ startTag }) => startTag);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const line = new FairLine<Entry>();
        const waiting = new Set<Entry>();
        for (const one of steps) {
          for (const entry of apply(line, waiting, one)) expect(waiting.delete(entry)).toBe(true);
          expect(line.size).toBe(waiting.size);
          expect(line.tokens).toBe([...waiting].reduce((sum, { tokens }) => sum + tokens, 0));
          expect(line.next === undefined ? 0 : waiting.has(line.next)).toBe(
            waiting.size > 0 ? true : 0,
          );
        }
        const rest = line.candidates(1000, Number.POSITIVE_INFINITY);
        expect(new Set(rest)).toEqual(waiting);
        expect(tagsOf(rest)).toEqual(tagsOf(rest).toSorted((a, b) => a - b));
      }),
    );
  });
});
