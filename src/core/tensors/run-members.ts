import { SluiceError, toSluiceError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { BatchObservation } from "../ports/inference-observer.ts";
import type { Tensor } from "../ports/tensor.ts";
import type { TensorBackend } from "../ports/tensor-backend.ts";
import { joinRows, splitRows } from "./join-rows.ts";
import type { TensorMember } from "./tensor-member.ts";

export interface RunMembersOptions {
  readonly backend: TensorBackend;
  readonly clock: Clock;
  /** Hears of every run, those of single members after a failure included. */
  readonly onRun: (observation: BatchObservation, rows: number, endedMs: number) => void;
}

type Members = readonly [TensorMember, ...TensorMember[]];

/**
 * Runs requests together and answers every one of them: all of them copies, or none. Never rejects.
 *
 * A failed run of several says nothing about each: all then get a run of their own, in the slot that they shared, so
 * that only those fail that fail alone.
 */
export async function runMembers(
  members: Members,
  startedMs: number,
  options: RunMembersOptions,
): Promise<void> {
  const { clock, onRun } = options;
  const rows = members.reduce((sum, { tokens }) => sum + tokens, 0);
  try {
    const answers = await runTogether(members, options.backend);
    const endedMs = clock.nowMs();
    onRun(observe(members, startedMs, endedMs, false), rows, endedMs);
    for (const [index, member] of members.entries()) {
      const outputs = answers[index] ?? [];
      const queueMs = startedMs - member.enqueuedMs;
      member.succeed({ outputs, queueMs, runMs: endedMs - startedMs });
    }
  } catch (thrown) {
    const endedMs = clock.nowMs();
    onRun(observe(members, startedMs, endedMs, true), rows, endedMs);
    await recover(members, toSluiceError(thrown), options);
  }
}

async function runTogether(
  members: Members,
  backend: TensorBackend,
): Promise<readonly (readonly Tensor[])[]> {
  const [first, ...others] = members;
  const { inputs, outputs, rows } = joinRows([
    first.question,
    ...others.map(({ question }) => question),
  ]);
  const answer = await backend.run(inputs, outputs, { isCopy: first.isCopy });
  return others.length === 0 ? [answer] : splitRows(answer, rows);
}

async function recover(
  members: Members,
  error: SluiceError,
  options: RunMembersOptions,
): Promise<void> {
  if (members.length === 1) {
    members[0].fail(toRequestError(error));
    return;
  }
  for (const member of members) {
    if (!member.settled) await runMembers([member], options.clock.nowMs(), options);
  }
}

function observe(
  members: Members,
  startedMs: number,
  endedMs: number,
  failed: boolean,
): BatchObservation {
  const oldestMs = members.reduce(
    (oldest, { enqueuedMs }) => Math.min(oldest, enqueuedMs),
    startedMs,
  );
  return {
    items: members.length,
    // Nothing here is a token, and nothing is padded.
    tokens: 0,
    paddedTokens: 0,
    isCopy: members[0].isCopy,
    queueMs: startedMs - oldestMs,
    runMs: endedMs - startedMs,
    failed,
  };
}

/** What a caller is told when its request failed alone. A bug of the backend counts as the model's failure. */
function toRequestError(error: SluiceError): SluiceError {
  if (error.code !== "internal") return error;
  return new SluiceError("model_failed", "The model failed on these inputs.", {
    cause: error.cause,
  });
}
