import { SluiceError } from "../core/errors.ts";

/** Checks that every reader of a `tokenizer.json` needs. The file is somebody else's: nothing in it is taken on trust. */

/** Largest id that a model's embedding could have a row for; keeps the tables that are indexed by ids small. */
const MAX_ID = 16_777_215;

/** An entry of `added_tokens`: found in a text as it stands, before anything else happens to it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_ID;
}

/** The error for a file that cannot be used. */
export function createFileError(problem: string): SluiceError {
  return new SluiceError("invalid_argument", `tokenizer.json: ${problem}`);
}

/** @throws SluiceError when the value is not an object */
export function readRecord(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  throw createFileError(`${name} must be an object, and is ${describe(value)}.`);
}

/** What a value is, in few words that give nothing of a long value away. */
export function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * The ids of a vocabulary in the order of its tokens, checked.
 *
 * @throws SluiceError when there are none, one is no id, or two are the same
 */
export function readIds(
  tokens: readonly string[],
  idOf: (token: string, index: number) => unknown,
): Int32Array {
  if (tokens.length === 0) throw createFileError("model.vocab has no entries.");
  const ids = new Int32Array(tokens.length);
  let largest = 0;
  for (let i = 0; i < tokens.length; i++) {
    const id = idOf(tokens[i] as string, i);
    if (!isTokenId(id)) throw createFileError(`${name(tokens[i])} ${expectedId(id)}`);
    ids[i] = id;
    if (id > largest) largest = id;
  }
  const seen = new Uint8Array(largest + 1);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    if (seen[id] === 1) throw createFileError(`two entries of model.vocab have the id ${id}.`);
    seen[id] = 1;
  }
  return ids;
}

/** @throws SluiceError when the list is not one of tokens with contents and ids, or one contradicts `idOf` */
export function readAddedTokens(
  value: unknown,
  idOf: (token: string) => number | undefined,
): readonly AddedToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw createFileError("added_tokens must be an array.");
  return value.map((entry: unknown, index) => {
    const { id, content } = readRecord(entry, `added_tokens[${index}]`);
    if (typeof content !== "string" || content === "") {
      throw createFileError(`added_tokens[${index}].content must be a text that is not empty.`);
    }
    if (!isTokenId(id)) throw createFileError(`added_tokens[${index}] ${expectedId(id)}`);
    const known = idOf(content);
    if (known !== undefined && known !== id) {
      throw createFileError(
        `added_tokens[${index}] has the id ${id}, but ${known} in model.vocab.`,
      );
    }
    return { id, content };
  });
}

function expectedId(value: unknown): string {
  return `must have a whole number from 0 to ${MAX_ID} as its id, not ${describe(value)}.`;
}

/** A token in a message: short and printable. */
function name(token: string | undefined): string {
  return `model.vocab[${JSON.stringify((token ?? "").slice(0, 40))}]`;
}
