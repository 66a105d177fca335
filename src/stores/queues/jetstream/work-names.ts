import { createHash } from "node:crypto";
import type { WorkLane } from "../../../core/ports/work-queue.ts";
import { WORK_LANES } from "../../../core/ports/work-queue.ts";
import { toStreamName } from "../../nats/stream-name.ts";

/** What the things of one queue are called in NATS. */
export interface WorkNames {
  readonly workStream: string;
  readonly deadStream: string;
  /** `<prefix>.work.<lane>.<token>`; the token stands for the id. */
  workSubject(lane: WorkLane, token: string): string;
  /** `<prefix>.dead.<token>`. */
  deadSubject(token: string): string;
  /** Says, without a payload, that there may be work. Belongs to no stream. */
  readonly wakeSubject: string;
}

export function toWorkNames(prefix: string): WorkNames {
  return {
    workStream: toStreamName(`${prefix}.work`),
    deadStream: toStreamName(`${prefix}.dead`),
    workSubject: (lane, token) => `${prefix}.work.${lane}.${token}`,
    deadSubject: (token) => `${prefix}.dead.${token}`,
    wakeSubject: `${prefix}.wake`,
  };
}

/** Tokens are part of a subject, whose length servers bound (4096 bytes unless told otherwise). */
const MAX_TOKEN = 250;
const PLAIN = /[^A-Za-z0-9_-]/gu;

/**
 * A word for a subject that stands for an id, and no other id: letters, digits, `_` and `-` as they are, every other byte of UTF-8 as
 * `=` and two hexadecimal digits. A word that would be empty or too long is `==` and a SHA-256.
 */
export function toToken(id: string): string {
  const token = encodeId(id);
  if (token !== "" && token.length <= MAX_TOKEN) return token;
  return `==${createHash("sha256").update(token).digest("hex")}`;
}

/** The id, for a header: all of it, in ASCII. */
export function encodeId(id: string): string {
  return id.replaceAll(PLAIN, (character) =>
    [...Buffer.from(character)].map((byte) => `=${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}

/** What `encodeId` had; text that it cannot have written comes back as well as it can be read. */
export function decodeId(encoded: string): string {
  const bytes = encoded.replaceAll("%", "%25").replaceAll("=", "%");
  try {
    return decodeURIComponent(bytes);
  } catch {
    return encoded;
  }
}

/** The lane and the token of a subject of work. */
export function readWorkSubject(subject: string): { lane: WorkLane; token: string } {
  const [lane, token = ""] = subject.split(".").slice(-2);
  return { lane: WORK_LANES.find((one) => one === lane) ?? "normal", token };
}
