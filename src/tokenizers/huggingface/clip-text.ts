/** More characters than this to a token have only texts that were made to be slow, or long stretches of blanks. */
const CHARACTERS_PER_TOKEN = 16;
/** As many are read in any case: it takes no time that anybody would notice. */
const MIN_CHARACTERS = 20_000;
/** Letters carry a few marks, ornamental writing some dozens. */
const MAX_MARKS = 1_000;
const MARK_RUN = new RegExp(`(\\p{M}{${MAX_MARKS}})\\p{M}+`, "gu");

/**
 * Cuts a text down to what can matter, so that the time for it stays bounded: to so many characters that even long
 * tokens fill all windows, and to a thousand combining marks in a row, because putting marks in their canonical order
 * takes time with the square of their number.
 *
 * @returns the same string when there is nothing to cut
 */
export function clipText(text: string, maxTokens: number): string {
  const most = Math.max(MIN_CHARACTERS, maxTokens * CHARACTERS_PER_TOKEN);
  // A character whose second half is cut off goes with it.
  const short = text.length > most ? text.slice(0, most).replace(/[\ud800-\udbff]$/, "") : text;
  return short.length > MAX_MARKS ? short.replace(MARK_RUN, "$1") : short;
}
