import type { WorkMessage } from "../../../core/ports/work-queue.ts";
import type { OpenSession } from "./session.ts";
import { toApiCode } from "./session-failure.ts";
import type { WorkNames } from "./work-names.ts";
import { encodeId, toToken } from "./work-names.ts";

/** Carries the id where the subject has only a digest of it. */
export const ID_HEADER = "Sluice-Id";

/** JetStream's code for a message that its store did not take. */
const NOT_STORED = 10_077;
/** What it then says of a subject that has its message; a full disk has the same code. */
const SUBJECT_TAKEN = /per subject/;

/**
 * Stores a piece of work durably, unless its id is still there.
 *
 * @param messageId `Nats-Msg-Id`: the stream passes over one that it has got lately
 */
export async function publishWork(
  { stream }: OpenSession,
  { workSubject }: WorkNames,
  { id, lane, body }: WorkMessage,
  messageId: string,
): Promise<void> {
  const { headers } = await import("@nats-io/transport-node");
  const own = headers();
  const token = toToken(id);
  const encoded = encodeId(id);
  if (encoded !== token) own.set(ID_HEADER, encoded);
  try {
    await stream.publish(workSubject(lane, token), body, { msgID: messageId, headers: own });
  } catch (thrown) {
    if (!isTaken(thrown)) throw thrown;
  }
}

function isTaken(thrown: unknown): boolean {
  const isRefused = thrown instanceof Error && toApiCode(thrown) === NOT_STORED;
  return isRefused && SUBJECT_TAKEN.test(thrown.message);
}
