import { SluiceError } from "../core/errors.ts";
import type { EncodedText, TextEncoding, Tokenizer } from "../core/ports/tokenizer.ts";
import type { SequenceTemplate } from "./sequence-template.ts";
import type { TransformerTokenizerOptions } from "./transformer-tokenizer-options.ts";

/**
 * Turns a text into ids without special ones.
 *
 * @param limit may stop once it has more ids than this; what it gives then is not looked at beyond the limit
 * @returns good until the next call
 */
export type ReadIds = (text: string, limit: number) => ArrayLike<number>;

export interface WindowedTokenizerOptions
  extends Pick<TransformerTokenizerOptions, "maxTokens" | "windows"> {
  readonly template: SequenceTemplate;
  /** Stands for a text without a single id, where the template adds none: a sequence has at least one. */
  readonly emptyId: number;
  readonly readIds: ReadIds;
}

/**
 * Puts special ids around what `readIds` gives, and cuts what is too long. A text alone becomes windows of at most
 * `maxTokens` ids, each beginning `overlapTokens` before the end of the one before it; ids beyond the last window are
 * left out. A pair stays one sequence: the longer of both texts is shortened first, as the Hugging Face tokenizers do
 * with the strategy `longest_first`.
 *
 * @throws SluiceError when `maxTokens` leaves no room beside the special ids
 */
export function createWindowedTokenizer(options: WindowedTokenizerOptions): Tokenizer {
  const { maxTokens, template, windows, emptyId, readIds } = options;
  const { before, after } = template.single;
  const { pair } = template;
  const room = maxTokens - before.length - after.length;
  const pairRoom = maxTokens - pair.before.length - pair.between.length - pair.after.length;
  if (room < 1 || pairRoom < 2) {
    const message = `maxTokens must be larger: ${maxTokens} leaves no room beside the special tokens.`;
    throw new SluiceError("invalid_argument", message);
  }
  const step = Math.max(1, room - windows.overlapTokens);
  const limit = room + (windows.max - 1) * step;

  const wrap = (ids: ArrayLike<number>, from: number, to: number): EncodedText => {
    const wrapped = new Int32Array(before.length + (to - from) + after.length);
    let at = 0;
    for (let i = 0; i < before.length; i++) wrapped[at++] = before[i] as number;
    for (let i = from; i < to; i++) wrapped[at++] = ids[i] as number;
    for (let i = 0; i < after.length; i++) wrapped[at++] = after[i] as number;
    const sequence = at === 0 ? Int32Array.of(emptyId) : wrapped;
    return { ids: sequence, secondStart: sequence.length };
  };

  const encodeText = (text: string): TextEncoding => {
    const ids = readIds(text, limit);
    if (ids.length <= room) return { windows: [wrap(ids, 0, ids.length)], truncated: false };
    const cut: EncodedText[] = [];
    for (let from = 0; cut.length < windows.max; from += step) {
      const to = Math.min(from + room, ids.length);
      cut.push(wrap(ids, from, to));
      if (to === ids.length) break;
    }
    return { windows: cut, truncated: ids.length > limit };
  };

  const encodePair = (text: string, second: string): TextEncoding => {
    // No limit: which of both is longer decides what is cut.
    const first = Int32Array.from(readIds(text, Number.POSITIVE_INFINITY));
    const other = readIds(second, Number.POSITIVE_INFINITY);
    const [firstLength, otherLength] = shorten(first.length, other.length, pairRoom);
    const content = [first.subarray(0, firstLength), pair.between];
    const head = Int32Array.from([...pair.before, ...content.flatMap((part) => [...part])]);
    const ids = new Int32Array(head.length + otherLength + pair.after.length);
    ids.set(head);
    for (let i = 0; i < otherLength; i++) ids[head.length + i] = other[i] as number;
    ids.set(pair.after, head.length + otherLength);
    const truncated = firstLength < first.length || otherLength < other.length;
    if (ids.length === 0)
      return { windows: [{ ids: Int32Array.of(emptyId), secondStart: 1 }], truncated };
    const { firstOfBetween } = pair;
    const secondStart =
      firstOfBetween === undefined ? ids.length : pair.before.length + firstLength + firstOfBetween;
    return { windows: [{ ids, secondStart }], truncated };
  };

  return {
    encode: (text, second) => (second === undefined ? encodeText(text) : encodePair(text, second)),
  };
}

/**
 * How much of two texts stays: the shorter one whole if there is room, else half each; of an odd room the longer one
 * gets the one more, or the second when both are equally long.
 */
function shorten(first: number, second: number, room: number): readonly [number, number] {
  if (first + second <= room) return [first, second];
  const short = Math.min(first, second);
  const half = Math.floor(room / 2);
  const keptOfShort = short + Math.max(short, room - short) > room ? half : short;
  const keptOfLong = room - keptOfShort;
  return first > second ? [keptOfLong, keptOfShort] : [keptOfShort, keptOfLong];
}
