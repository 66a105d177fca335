import type { ErrorCode } from "../errors.ts";
import { SluiceError, toSluiceError } from "../errors.ts";
import type { Backend } from "../ports/backend.ts";
import type { Clock } from "../ports/clock.ts";
import type { BatchObservation } from "../ports/inference-observer.ts";
import type { Member } from "./member.ts";
import { countTokens } from "./member.ts";

export interface RunBatchOptions {
  readonly backend: Backend;
  readonly clock: Clock;
  /** Hears of every run, those of single members after a failure included. */
  readonly onRun: (observation: BatchObservation, endedMs: number) => void;
}

/**
 * Runs `members` as one batch and answers every one of them: all of them copies, or none. Never rejects.
 *
 * A failed batch says nothing about its members: each then gets a run of its own, in the slot that the batch had, so
 * that only those fail that fail alone.
 */
export async function runBatch(
  members: readonly Member[],
  startedMs: number,
  options: RunBatchOptions,
): Promise<void> {
  const { backend, clock, onRun } = options;
  const isCopy = members[0]?.isCopy === true;
  try {
    const texts = members.map((member) => member.encoded);
    const rows = await backend.run(texts, { isCopy });
    assertOneRowEach(rows, members.length);
    const endedMs = clock.nowMs();
    onRun(observe(members, startedMs, endedMs, backend, false), endedMs);
    for (const [index, member] of members.entries()) {
      const row = rows[index];
      if (row === undefined) continue;
      const reading = rows.readings?.[index];
      const queueMs = startedMs - member.enqueuedMs;
      member.succeed({ row, reading, queueMs, runMs: endedMs - startedMs });
    }
  } catch (thrown) {
    const endedMs = clock.nowMs();
    onRun(observe(members, startedMs, endedMs, backend, true), endedMs);
    await recover(members, toSluiceError(thrown), options);
  }
}

/** Nothing that another attempt, text by text, would make better. */
const NOBODYS_FAULT: ReadonlySet<ErrorCode> = new Set(["overloaded", "deadline_exceeded"]);

async function recover(
  members: readonly Member[],
  error: SluiceError,
  options: RunBatchOptions,
): Promise<void> {
  const isOnly = members.length === 1;
  if (isOnly || NOBODYS_FAULT.has(error.code)) {
    for (const member of members) member.fail(toItemError(error));
    return;
  }
  for (const member of members) {
    if (member.settled) continue;
    const nowMs = options.clock.nowMs();
    if (member.isExpired(nowMs)) member.fail(expiredError());
    else await runBatch([member], nowMs, options);
  }
}

function observe(
  members: readonly Member[],
  startedMs: number,
  endedMs: number,
  { pads }: Backend,
  failed: boolean,
): BatchObservation {
  const tokens = countTokens(members);
  let longest = 0;
  let oldestMs = startedMs;
  for (const member of members) {
    longest = Math.max(longest, member.tokens);
    oldestMs = Math.min(oldestMs, member.enqueuedMs);
  }
  return {
    items: members.length,
    tokens,
    paddedTokens: pads ? longest * members.length : tokens,
    isCopy: members[0]?.isCopy === true,
    queueMs: startedMs - oldestMs,
    runMs: endedMs - startedMs,
    failed,
  };
}

export function expiredError(): SluiceError {
  return new SluiceError("deadline_exceeded", "The deadline passed before the model could run.");
}

/** A backend that answers with too few rows would leave callers waiting forever. */
function assertOneRowEach(rows: readonly Float32Array[], count: number): void {
  if (rows.length === count) return;
  const message = `The model answered ${rows.length} rows for ${count} texts.`;
  throw new SluiceError("model_failed", message);
}

/** What a caller is told when its text failed alone. A bug of the backend counts as the model's failure. */
function toItemError(error: SluiceError): SluiceError {
  if (error.code !== "internal") return error;
  return new SluiceError("model_failed", "The model failed on this text.", { cause: error.cause });
}
