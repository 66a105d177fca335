import { Buffer } from "node:buffer";

/**
 * A printable character for every byte, as byte-level vocabularies write them (Radford et al., GPT-2): printable Latin-1
 * stands for itself, the other bytes for U+0100 and on.
 */
const CHARACTERS: readonly string[] = createCharacters();

/** The UTF-8 bytes of a text, as characters. */
export function encodeAsByteLevel(text: string): string {
  if (/^[!-~]*$/.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text)) encoded += CHARACTERS[byte];
  return encoded;
}

function createCharacters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = /[!-~\u00a1-\u00ac\u00ae-\u00ff]/.test(String.fromCharCode(byte));
    return String.fromCharCode(isPrintable ? byte : next++);
  });
}
