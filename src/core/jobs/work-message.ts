import type { WorkMessage } from "../ports/work-queue.ts";
import type { Job } from "./job.ts";

/** Which chunk of which job a message is about. */
export interface ChunkWork {
  readonly jobId: string;
  readonly index: number;
  readonly round: number;
}

/** Every chunk has one message per round, so handing a chunk out twice is seen by the queue. */
export function toWorkMessage(
  { id, round }: Pick<Job, "id" | "round">,
  index: number,
): WorkMessage {
  const work: ChunkWork = { jobId: id, index, round };
  // The failed rows of a finished job are few, and somebody asked for them: they overtake.
  const lane = round > 0 ? "high" : "normal";
  return { id: `${id}-${round}-${index}`, lane, body: JSON.stringify(work) };
}

/** @returns undefined for a body that is none of ours */
export function readWorkMessage(body: string): ChunkWork | undefined {
  try {
    const { jobId, index, round } = JSON.parse(body);
    const isWhole = Number.isSafeInteger(index) && Number.isSafeInteger(round);
    return typeof jobId === "string" && isWhole ? { jobId, index, round } : undefined;
  } catch {
    return undefined;
  }
}
