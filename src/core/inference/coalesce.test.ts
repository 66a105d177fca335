import { describe, expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { SluiceError } from "../errors.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import { Coalescer } from "./coalesce.ts";
import type { Ticket } from "./member.ts";

const LATE_MS = 1e9;

function setUp() {
  const clock = new FakeClock();
  const coalescer = new Coalescer<string>(clock);
  const launches: {
    ticket: Ticket;
    resolve: (answer: string) => void;
    reject: (e: unknown) => void;
  }[] = [];
  const join = (key: string, deadlineMs = LATE_MS, cancellation = NEVER_CANCELLED) =>
    coalescer.join(key, { deadlineMs, cancellation }, (ticket) => {
      return new Promise((resolve, reject) => launches.push({ ticket, resolve, reject }));
    });
  return { clock, coalescer, launches, join };
}

describe("one flight per key", () => {
  test("equal questions in flight share one run and its answer", async () => {
    const { launches, join } = setUp();
    const joined = [join("a"), join("a"), join("b"), join("a")];
    expect(joined.map((one) => one.coalesced)).toEqual([false, true, false, true]);
    expect(launches).toHaveLength(2);
    launches[0]?.resolve("A");
    launches[1]?.resolve("B");
    expect(await Promise.all(joined.map((one) => one.answer))).toEqual(["A", "A", "B", "A"]);
  });

  test("a failure reaches everybody who waits and is then forgotten", async () => {
    const { launches, join, coalescer } = setUp();
    const first = Promise.allSettled([join("a").answer, join("a").answer]);
    launches[0]?.reject(new SluiceError("model_failed", "No."));
    expect((await first).map((result) => result.status)).toEqual(["rejected", "rejected"]);
    expect(coalescer.size).toBe(0);
    const again = join("a");
    expect(again.coalesced).toBe(false);
    launches[1]?.resolve("A");
    expect(await again.answer).toBe("A");
  });
});

describe("leaving early", () => {
  test("the caller that asked first may leave and the others still get the answer", async () => {
    const { launches, join } = setUp();
    const source = new CancelSource();
    const first = join("a", LATE_MS, source);
    const second = join("a");
    const left = expect(first.answer).rejects.toMatchObject({ code: "cancelled" });
    source.cancel();
    await left;
    expect(launches[0]?.ticket.cancellation.cancelled).toBe(false);
    launches[0]?.resolve("A");
    expect(await second.answer).toBe("A");
  });

  test("the run is called off when the last caller has left, and the next one starts afresh", async () => {
    const { launches, join, coalescer } = setUp();
    const sources = [new CancelSource(), new CancelSource()];
    let calledOff = 0;
    const waiting = sources.map((source) => join("a", LATE_MS, source).answer);
    launches[0]?.ticket.cancellation.onCancel(() => calledOff++);
    const left = Promise.allSettled(waiting);
    sources[0]?.cancel();
    expect(calledOff).toBe(0);
    sources[1]?.cancel();
    expect(calledOff).toBe(1);
    await left;
    expect(coalescer.size).toBe(0);
    expect(join("a").coalesced).toBe(false);
  });

  test("each caller has its own deadline, and the run lives until the latest of them", async () => {
    const { clock, launches, join } = setUp();
    const early = expect(join("a", 10).answer).rejects.toMatchObject({ code: "deadline_exceeded" });
    const late = join("a", 50);
    expect(launches[0]?.ticket.deadlineMs).toBe(50);
    await clock.advance(20);
    await early;
    expect(launches[0]?.ticket.cancellation.cancelled).toBe(false);
    launches[0]?.resolve("A");
    expect(await late.answer).toBe("A");
  });

  test("a caller that was gone before it asked starts no lasting run", async () => {
    const { join, coalescer } = setUp();
    const source = new CancelSource();
    source.cancel();
    await expect(join("a", LATE_MS, source).answer).rejects.toMatchObject({ code: "cancelled" });
    expect(coalescer.size).toBe(0);
  });
});
