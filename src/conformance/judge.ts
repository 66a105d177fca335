import type { Verdict } from "./case.ts";
import { fail, pass } from "./case.ts";
import type { ProbeAnswer } from "./http-probe.ts";

/** Short enough for a line, and never a whole body. */
const SHOWN = 120;

/** An answer in a few words. */
export function describe({ status, text }: ProbeAnswer): string {
  const body = text.replaceAll(/\s+/g, " ").slice(0, SHOWN);
  return body === "" ? `${status} without a body` : `${status} ${body}`;
}

/** A JSON object; anything else has no members. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A JSON list; anything else has no elements. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Whether the status is one of those; the verdict that follows when it is not. */
export function wrongStatus(
  answer: ProbeAnswer,
  ...statuses: readonly number[]
): Verdict | undefined {
  if (statuses.includes(answer.status)) return undefined;
  return fail(`status ${statuses.join(" or ")}`, describe(answer));
}

/** A verdict on a condition about an answer of 200. */
export function expectThat(answer: ProbeAnswer, holds: boolean, expected: string): Verdict {
  return wrongStatus(answer, 200) ?? (holds ? pass() : fail(expected, describe(answer)));
}

/**
 * Wrong input must be refused: with a status of the 4xx, and with one of `usual` where the protocol says which.
 *
 * @param errorOf finds the error's text in the body
 */
export function expectRefusal(
  answer: ProbeAnswer,
  usual: readonly number[],
  errorOf: (answer: ProbeAnswer) => unknown,
): Verdict {
  const { status } = answer;
  if (status >= 200 && status < 300) return fail("a refusal", describe(answer));
  if (status >= 500)
    return fail("a status of the 4xx: the request is wrong, not the server", describe(answer));
  if (typeof errorOf(answer) !== "string")
    return fail("an error text in the protocol's form", describe(answer));
  return usual.includes(status)
    ? pass(String(status))
    : pass(`${status}, where ${usual.join(" or ")} is usual`);
}
