import { readFileSync } from "node:fs";
import type { EncodedBody } from "../../../../src/protocols/open-inference/join-body.ts";

/** An answer as it was when the official client last read it. */
export interface GoldenAnswer {
  /** `binary: <name of the request>` or `JSON: <name of the request>`. */
  readonly name: string;
  readonly headerLength: number | null;
  /** Base64. */
  readonly body: string;
}

const FILE = new URL("answers.json", import.meta.url);

/**
 * The answers in `answers.json`: the tensors of every golden request, sent back. `make-answers.ts` writes the file, and
 * `check-answers.py` reads it with the official client and compares.
 */
export function readGoldenAnswers(): readonly GoldenAnswer[] {
  return JSON.parse(readFileSync(FILE, "utf8")) as GoldenAnswer[];
}

export function toGoldenAnswer(name: string, encoded: EncodedBody): GoldenAnswer {
  const body = Buffer.concat(encoded.chunks).toString("base64");
  return { name, headerLength: encoded.headerLength ?? null, body };
}
