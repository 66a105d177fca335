import type { Verdict } from "./case.ts";
import { fail, pass } from "./case.ts";
import type { RawAnswer } from "./raw-http.ts";

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

const EXCERPT_LENGTH = 160;

/** No answer of these protocols comes near; beyond it, whatever walks through the value would run out of stack. */
const MAX_DEPTH = 512;

/** Status and beginning of an answer, on one line. */
export function describeAnswer({ status, body }: RawAnswer): string {
  const text = body.toString("utf8", 0, EXCERPT_LENGTH * 4);
  const line = [...text.replace(/[\s\p{Cc}]+/gu, " ").trim()];
  const excerpt =
    line.length > EXCERPT_LENGTH ? `${line.slice(0, EXCERPT_LENGTH).join("")} …` : line.join("");
  return `${status}${excerpt === "" ? " with an empty body" : ` ${excerpt}`}`;
}

/** The body as JSON; undefined when it is none, or nested deeper than any answer has reason to be. */
export function readJson({ body }: RawAnswer): unknown {
  if (isTooDeep(body)) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Counts brackets outside of texts, without recursion. UTF-8 has these bytes for these characters alone. */
function isTooDeep(body: Buffer): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (isText) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) isText = true;
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** The body as a JSON object; undefined when it is none. */
export function readObject(answer: RawAnswer): JsonObject | undefined {
  const value = readJson(answer);
  return isObject(value) ? value : undefined;
}

/**
 * Whether a wrong request was refused as the caller's mistake. Statuses of 400 and more below 500 pass; one that is not
 * `usual` is named in the note.
 */
export function judgeRefusal(answer: RawAnswer, usual: readonly number[]): Verdict {
  if (answer.status < 400 || answer.status > 499) {
    return fail(`a refusal with ${usual.join(" or ")}`, describeAnswer(answer));
  }
  return usual.includes(answer.status)
    ? pass()
    : pass(`status ${answer.status}; usual is ${usual.join(" or ")}`);
}

/** Whether a status says clearly that the server does not have something. A server that breaks down says nothing. */
export function isAbsence({ status }: RawAnswer): boolean {
  return status < 500 || status === 501;
}

/** Whether a refusal has exactly one of these statuses. */
export function judgeStatus(answer: RawAnswer, statuses: readonly number[]): Verdict {
  return statuses.includes(answer.status)
    ? pass()
    : fail(`status ${statuses.join(" or ")}`, describeAnswer(answer));
}

/** The verdict of checks that find nothing or a sentence about what is wrong. */
export function judgeProblem(
  expected: string,
  problem: string | undefined,
  note?: string,
): Verdict {
  return problem === undefined ? pass(note) : fail(expected, problem);
}
