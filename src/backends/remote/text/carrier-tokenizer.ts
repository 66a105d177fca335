import type { EncodedText, Tokenizer } from "../../../core/ports/tokenizer.ts";

/** Stands for a text without any units: an encoding has at least one id, and no unit is below 0. */
const EMPTY = -1;
/** Arguments of one call of `String.fromCharCode`, which engines limit. */
const CHUNK = 4_096;

/**
 * A tokenizer for models whose servers read texts by themselves: the ids are the UTF-16 code units of the text, and of
 * the second one behind it. So texts wait, are counted and go in batches like any others, and come out as they went in.
 */
export function createCarrierTokenizer(): Tokenizer {
  return {
    encode(text, pair) {
      const first = Math.max(1, text.length);
      const second = pair === undefined ? 0 : Math.max(1, pair.length);
      const ids = new Int32Array(first + second).fill(EMPTY);
      for (let i = 0; i < text.length; i++) ids[i] = text.charCodeAt(i);
      if (pair !== undefined) {
        for (let i = 0; i < pair.length; i++) ids[first + i] = pair.charCodeAt(i);
      }
      return { windows: [{ ids, secondStart: first }], truncated: false };
    },
  };
}

/** A text, or a pair of texts. */
export interface CarriedText {
  readonly text: string;
  readonly pair: string | undefined;
}

/** What `createCarrierTokenizer` made ids of. Pure. */
export function toCarriedText({ ids, secondStart }: EncodedText): CarriedText {
  const text = readUnits(ids.subarray(0, secondStart));
  const pair = secondStart < ids.length ? readUnits(ids.subarray(secondStart)) : undefined;
  return { text, pair };
}

function readUnits(units: Int32Array): string {
  if (units.length === 1 && units[0] === EMPTY) return "";
  let text = "";
  for (let start = 0; start < units.length; start += CHUNK) {
    text += String.fromCharCode(...units.subarray(start, start + CHUNK));
  }
  return text;
}
