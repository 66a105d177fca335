import type { InspectedToken } from "../../core/ports/token-inspector.ts";
import type { DecodedTokenize } from "./decode-tokenize.ts";

/** Body of the answer of `POST /tokenize`: one list of tokens per text. What is not known of a token is null. */
export function encodeTokenize(
  texts: readonly (readonly InspectedToken[])[],
  { addsSpecial }: Pick<DecodedTokenize, "addsSpecial">,
): string {
  const shown = texts.map((tokens) =>
    tokens
      .filter(({ special }) => addsSpecial || !special)
      .map(({ id, text, special, start = null, stop = null }) => ({
        id,
        text,
        special,
        start,
        stop,
      })),
  );
  return JSON.stringify(shown);
}
