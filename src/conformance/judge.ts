import type { Verdict } from "./case.ts";
import { fail, pass } from "./case.ts";
import type { RawAnswer } from "./raw-http.ts";

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

const EXCERPT_LENGTH = 160;

/** Status and beginning of an answer, on one line. */
export function describeAnswer({ status, body }: RawAnswer): string {
  const text = body.toString("utf8", 0, EXCERPT_LENGTH * 4);
  const line = [...text.replace(/[\s\p{Cc}]+/gu, " ").trim()];
  const excerpt =
    line.length > EXCERPT_LENGTH ? `${line.slice(0, EXCERPT_LENGTH).join("")} …` : line.join("");
  return `${status}${excerpt === "" ? " with an empty body" : ` ${excerpt}`}`;
}

/** The body as JSON; undefined when it is none. */
export function readJson({ body }: RawAnswer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
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
