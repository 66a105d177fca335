import { toTextKey } from "../data/text-key.ts";

/** A list in two parts. */
export interface Split<Item> {
  readonly kept: Item[];
  readonly heldOut: Item[];
}

/**
 * Holds a share of the texts out. Which ones depends on each text alone (a hash of its {@link toTextKey} and the salt),
 * not on order or number: adding data moves no text across, and equal texts always stay together.
 *
 * @param share 0 … 1.
 */
export function splitExamples<Item extends { readonly text: string }>(
  items: readonly Item[],
  share: number,
  salt: string,
): Split<Item> {
  const kept: Item[] = [];
  const heldOut: Item[] = [];
  for (const item of items) {
    (hashToUnit(`${salt}\n${toTextKey(item.text)}`) < share ? heldOut : kept).push(item);
  }
  return { kept, heldOut };
}

/** FNV-1a over UTF-16 units with the finalizer of MurmurHash3, as a fraction in [0, 1). */
function hashToUnit(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
