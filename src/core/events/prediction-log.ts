import { createEvent } from "./create-event.ts";
import type { EventBuffer } from "./event-buffer.ts";
import type { PredictionLoggedData } from "./event-data.ts";

export interface PredictionLogOptions {
  readonly buffer: Pick<EventBuffer, "offer">;
  /** URI reference of this server. */
  readonly source: string;
  readonly epochMs: () => number;
  /** 0 ≤ x < 1, each time another. */
  readonly random: () => number;
  /** A new id each time, without full stops. */
  readonly createId: () => string;
  /** Share of the answers that are told, 0 to 1. */
  readonly sampleRate: number;
}

/** Tells of an answer. False when it was to be told and was dropped, because too many wait. Never waits, never throws. */
export type PredictionLog = (data: PredictionLoggedData) => boolean;

/** Tells answers, or a share of them, by chance. */
export function createPredictionLog(options: PredictionLogOptions): PredictionLog {
  const { buffer, source, epochMs, random, createId, sampleRate } = options;
  return (data) => {
    if (random() >= sampleRate) return true;
    const subject = `requests/${data.request_id}`;
    const facts = { kind: "prediction.logged", id: createId(), source, subject } as const;
    return buffer.offer(createEvent({ ...facts, epochMs: epochMs(), data }));
  };
}
