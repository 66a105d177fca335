/** Any character of the scripts that are told apart below. Most texts have none and need no counting. */
const EAST_ASIAN = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]/;
const HAN = /[\u3400-\u9fff\uf900-\ufaff]|[\ud840-\ud887][\udc00-\udfff]/g;
const KANA = /[\u3040-\u30ff]/g;
const HANGUL = /[\uac00-\ud7af]/g;
const BLANKS = / /g;

/** Part of a text's characters that a script must have: a name or a quotation does not change a text's language. */
const MIN_SHARE = 0.3;

/**
 * The language that a text's script gives away, as BCP 47 tag: `zh`, `ja` or `ko`; `undefined` for all scripts that
 * several languages share. Kana beside Han is Japanese. Takes well under a microsecond for texts without such scripts.
 */
export function detectWrittenLanguage(text: string): "zh" | "ja" | "ko" | undefined {
  if (!EAST_ASIAN.test(text)) return undefined;
  const han = count(text, HAN);
  const kana = count(text, KANA);
  const hangul = count(text, HANGUL);
  const visible = text.length - count(text, BLANKS);
  if (han + kana + hangul < MIN_SHARE * visible) return undefined;
  if (hangul > han + kana) return "ko";
  return kana * 5 > han ? "ja" : "zh";
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
