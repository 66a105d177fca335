import type { StoredMsg } from "@nats-io/jetstream";
import type { DeadLetter, WorkMessage } from "../../../core/ports/work-queue.ts";
import { WORK_LANES } from "../../../core/ports/work-queue.ts";
import type { OpenSession } from "./session.ts";
import type { WorkNames } from "./work-names.ts";
import { decodeId, encodeId, toToken } from "./work-names.ts";

/** What a dead letter says beside its body, as headers; texts are percent-encoded. */
const HEADERS = {
  id: "Sluice-Id",
  lane: "Sluice-Lane",
  attempts: "Sluice-Attempts",
  reason: "Sluice-Reason",
  buriedAt: "Sluice-Buried-At-Ms",
} as const;

/** Characters of a reason that are kept. */
const MAX_REASON = 2000;

/** A dead letter with its place in the stream. */
export interface StoredLetter extends DeadLetter {
  readonly sequence: number;
}

/** Stores a dead letter; one of the same id that is there is replaced. */
export async function storeDead(
  { stream }: OpenSession,
  names: WorkNames,
  letter: DeadLetter,
): Promise<void> {
  const { headers } = await import("@nats-io/transport-node");
  const own = headers();
  own.set(HEADERS.id, encodeId(letter.id));
  own.set(HEADERS.lane, letter.lane);
  own.set(HEADERS.attempts, String(letter.attempts));
  const reason = letter.reason.slice(0, MAX_REASON).toWellFormed();
  own.set(HEADERS.reason, encodeURIComponent(reason));
  own.set(HEADERS.buriedAt, String(letter.buriedAtMs));
  await stream.publish(names.deadSubject(toToken(letter.id)), letter.body, { headers: own });
}

/** The dead letter of an id. */
export async function findDead(
  { manager }: OpenSession,
  names: WorkNames,
  id: string,
): Promise<StoredLetter | undefined> {
  const subject = names.deadSubject(toToken(id));
  const stored = await manager.streams.getMessage(names.deadStream, { last_by_subj: subject });
  return stored === null ? undefined : toLetter(stored);
}

/** The newest first, at most `limit`. */
export async function listDead(
  { manager }: OpenSession,
  names: WorkNames,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const { state } = await manager.streams.info(names.deadStream);
  const newest: StoredLetter[] = [];
  let from = state.last_seq + 1;
  // Revived letters leave gaps, so a part of the stream may have fewer than its length; then a part as long again is read before it.
  for (let length = limit; from > state.first_seq && newest.length < limit; length *= 2) {
    const end = from;
    from = Math.max(state.first_seq, end - length);
    const part: StoredLetter[] = [];
    for (let sequence = from; sequence < end; ) {
      const stored = await manager.streams.getMessage(names.deadStream, {
        ...{ seq: sequence, next_by_subj: names.deadSubject("*") },
      });
      if (stored === null || stored.seq >= end) break;
      part.unshift(toLetter(stored));
      sequence = stored.seq + 1;
    }
    newest.push(...part);
  }
  return newest.slice(0, limit).map(({ sequence: _sequence, ...letter }) => letter);
}

/** Removes a dead letter; false when somebody else has. */
export async function removeDead(
  { manager }: OpenSession,
  names: WorkNames,
  sequence: number,
): Promise<boolean> {
  const { JetStreamApiError } = await import("@nats-io/jetstream");
  try {
    return await manager.streams.deleteMessage(names.deadStream, sequence, false);
  } catch (thrown) {
    if (thrown instanceof JetStreamApiError && GONE_CODES.has(thrown.code)) return false;
    throw thrown;
  }
}

/** The message is not there: by its number, by the store's own words, and when deleting failed. */
const GONE_CODES = new Set([10_037, 10_043, 10_057]);

function toLetter({ seq, header, data }: StoredMsg): StoredLetter {
  const lane = WORK_LANES.find((one) => one === header.get(HEADERS.lane)) ?? "normal";
  const work: WorkMessage = {
    id: decodeId(header.get(HEADERS.id)),
    lane,
    body: new TextDecoder().decode(data),
  };
  return {
    ...work,
    attempts: Number(header.get(HEADERS.attempts)),
    reason: decodeURIComponent(header.get(HEADERS.reason)),
    buriedAtMs: Number(header.get(HEADERS.buriedAt)),
    sequence: seq,
  };
}
