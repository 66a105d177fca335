import { beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { FaultChange } from "../ports/fault-exchange.ts";
import type { FaultNews } from "./fault-book.ts";
import { FaultBook, MAX_RULES } from "./fault-book.ts";
import type { FaultRule } from "./fault-rule.ts";

let clock: FakeClock;
let announced: string[];
let heard: string[];
/** Two processes of one machine. */
let book: FaultBook;
let other: FaultBook;

beforeEach(() => {
  clock = new FakeClock();
  announced = [];
  heard = [];
  const listeners: ((change: FaultChange) => void)[] = [];
  const open = (at: number) =>
    new FaultBook({
      clock,
      announce: ({ action, rule, by }: FaultNews) => announced.push(`${action} ${rule.name} ${by}`),
      hear: ({ action, rule, by }: FaultNews) => heard.push(`${action} ${rule.name} ${by}`),
      exchange: {
        send: (change) => listeners[1 - at]?.(change),
        onChange: (listener) => {
          listeners[at] = listener;
        },
      },
    });
  book = open(0);
  other = open(1);
});

function ruleOf(name: string, ttlMs = 60_000): FaultRule {
  return {
    name,
    match: { everything: true, model: null, version: null, key: null, headers: [] },
    delay: null,
    abort: { percent: 100, httpStatus: 503, grpcStatus: null },
    expiresAtMs: clock.epochMs() + ttlMs,
  };
}

const FACTS = { requestId: "1", model: "a", version: null, keyId: null, headers: new Map() };

describe("a book of faults", () => {
  test("holds what was set until it is removed, and says who did both", () => {
    book.set(ruleOf("one"), "key:ann");
    expect(book.choose(FACTS)?.rule).toBe("one");
    book.remove("one", "key:bob");
    expect(book.isActive).toBe(false);
    expect(book.choose(FACTS)).toBeUndefined();
    expect(announced).toEqual(["set one key:ann", "removed one key:bob"]);
  });

  test("ends a rule in time, and tells of it once for both processes", async () => {
    book.set(ruleOf("one", 1000), "key:ann");
    await clock.advance(999);
    expect([book.isActive, other.isActive]).toEqual([true, true]);
    await clock.advance(1);
    expect([book.isActive, other.isActive]).toEqual([false, false]);
    expect(announced).toEqual(["set one key:ann", "expired one time"]);
    expect(heard).toEqual(["set one another process", "expired one time"]);
  });

  test("a rule that is set again keeps its place and gets the new end", async () => {
    book.set(ruleOf("one", 1000), "key:ann");
    book.set(ruleOf("two"), "key:ann");
    book.set(ruleOf("one", 5000), "key:ann");
    await clock.advance(2000);
    expect(book.list().map(({ name }) => name)).toEqual(["one", "two"]);
  });

  test("the other process does as this one, and either can remove", () => {
    book.set(ruleOf("one"), "key:ann");
    expect(other.choose(FACTS)?.rule).toBe("one");
    other.remove("one", "key:bob");
    expect(book.isActive).toBe(false);
  });

  test("refuses a rule without a proper end, and more rules than can be watched over", () => {
    expect(() => book.set(ruleOf("one", 0), "key:ann")).toThrow(/ttl must be from 1ms to 24h/);
    expect(() => book.set(ruleOf("one", 24 * 3_600_000 + 1), "key:ann")).toThrow(/ttl/);
    for (let at = 0; at < MAX_RULES; at++) book.set(ruleOf(`rule-${at}`), "key:ann");
    expect(() => book.set(ruleOf("more"), "key:ann")).toThrow(/remove one first/);
    expect(() => book.set(ruleOf("rule-0"), "key:ann")).not.toThrow();
  });

  test("says of a name that it does not know where the names are", () => {
    expect(() => book.find("none")).toThrow(/GET \/v1\/faults/);
    expect(() => book.remove("none", "key:ann")).toThrow(/no fault/);
  });
});
