import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { SluiceError } from "../../core/errors.ts";
import { createEndpointPool } from "./endpoint-pool.ts";

const OUTCOMES = [
  "answer",
  "answer",
  "slow answer",
  "hang",
  "bug",
  "unavailable",
  "unavailable",
  "deadline_exceeded",
  "invalid_argument",
  "model_failed",
  "cancelled",
] as const;
type Outcome = (typeof OUTCOMES)[number];

const outcome = fc.constantFrom<Outcome>(...OUTCOMES);
const ATTEMPT_TIMEOUT_MS = 100;

const day = fc.record({
  // What each endpoint does, attempt after attempt, from the beginning again at the end.
  scripts: fc.array(fc.array(outcome, { minLength: 1, maxLength: 12 }), {
    minLength: 1,
    maxLength: 4,
  }),
  pausesMs: fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 30 }),
  deadlineInMs: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  maxAttemptsPerEndpoint: fc.integer({ min: 1, max: 3 }),
  hasProbe: fc.boolean(),
});

async function behave(clock: FakeClock, next: Outcome): Promise<string> {
  if (next === "answer") return next;
  if (next === "hang") return new Promise(() => {});
  if (next === "bug") throw new TypeError("a bug");
  if (next === "slow answer") {
    return new Promise((resolve) => clock.setTimer(60, () => resolve(next)));
  }
  throw new SluiceError(next, "scripted");
}

interface Scripted {
  readonly url: string;
  readonly index: number;
  readonly script: readonly Outcome[];
}

interface Run {
  readonly attempts: Map<string, number>;
  settled: number;
  failure: unknown;
}

/** Starts a request at the beginning of each pause and waits until nothing can be left to wait for. */
async function live(
  scripts: readonly (readonly Outcome[])[],
  options: {
    pausesMs: readonly number[];
    deadlineInMs: number | undefined;
    maxAttemptsPerEndpoint: number;
    hasProbe: boolean;
  },
): Promise<readonly Run[]> {
  const clock = new FakeClock();
  const cursors = scripts.map(() => 0);
  const endpoints = scripts.map((script, index) => ({ url: String(index), index, script }));
  const act = ({ index, script }: Scripted): Promise<string> => {
    const cursor = cursors[index] ?? 0;
    cursors[index] = cursor + 1;
    return behave(clock, script[cursor % script.length] ?? "answer");
  };
  const pool = createEndpointPool<Scripted>({
    endpoints,
    clock,
    attemptTimeoutMs: ATTEMPT_TIMEOUT_MS,
    probeTimeoutMs: ATTEMPT_TIMEOUT_MS,
    maxAttemptsPerEndpoint: options.maxAttemptsPerEndpoint,
    maxAttempts: 20,
    minRetriesPerSecond: 1_000,
    ...(options.hasProbe ? { probe: async (one) => void (await act(one)) } : {}),
  });
  const runs: Run[] = [];
  for (const pauseMs of options.pausesMs) {
    const run: Run = { attempts: new Map(), settled: 0, failure: undefined };
    runs.push(run);
    const attempt = (endpoint: Scripted) => {
      run.attempts.set(endpoint.url, (run.attempts.get(endpoint.url) ?? 0) + 1);
      return act(endpoint);
    };
    const { deadlineInMs } = options;
    const limit = deadlineInMs === undefined ? {} : { deadlineMs: clock.nowMs() + deadlineInMs };
    pool.run(attempt, limit).then(
      () => {
        run.settled++;
      },
      (error: unknown) => {
        run.settled++;
        run.failure = error;
      },
    );
    await clock.advance(pauseMs);
  }
  await clock.advance(20 * (ATTEMPT_TIMEOUT_MS + 100));
  await pool.close();
  return runs;
}

test("whatever servers do, every request settles once and no endpoint has it too often", async () => {
  await fc.assert(
    fc.asyncProperty(day, async ({ scripts, ...options }) => {
      for (const { attempts, settled, failure } of await live(scripts, options)) {
        expect(settled).toBe(1);
        expect(failure === undefined || failure instanceof SluiceError).toBe(true);
        for (const tries of attempts.values()) {
          expect(tries).toBeLessThanOrEqual(options.maxAttemptsPerEndpoint);
        }
      }
    }),
    { numRuns: 150 },
  );
});

const dead = fc.array(fc.constantFrom<Outcome>("unavailable", "hang", "deadline_exceeded"), {
  minLength: 1,
  maxLength: 4,
});

test("while one server answers, no request fails because others are dead", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(dead, { maxLength: 4 }),
      fc.nat(),
      day,
      async (deadScripts, place, { scripts: _, deadlineInMs: __, ...options }) => {
        const scripts: (readonly Outcome[])[] = [...deadScripts];
        scripts.splice(place % (scripts.length + 1), 0, ["answer"]);
        const runs = await live(scripts, { ...options, deadlineInMs: undefined });
        expect(runs.filter(({ failure }) => failure !== undefined)).toEqual([]);
      },
    ),
    { numRuns: 100 },
  );
});
