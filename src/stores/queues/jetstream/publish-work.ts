import type { WorkMessage } from "../../../core/ports/work-queue.ts";
import type { OpenSession } from "./session.ts";
import { toApiCode } from "./session-failure.ts";
import type { WorkNames } from "./work-names.ts";
import { encodeId, toToken } from "./work-names.ts";

/** Carries the id where the subject has only a digest of it. */
export const ID_HEADER = "Sluice-Id";

/** JetStream's code for a subject that has its message. */
const SUBJECT_TAKEN = 10_077;

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
    if (toApiCode(thrown) !== SUBJECT_TAKEN) throw thrown;
  }
}
