/** Offset basis and prime of 32-bit FNV-1a (Fowler, Noll, Vo; RFC 9923). */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** Parts that the range of hashes is divided into: 0.01 % each. */
export const BUCKETS = 10_000;

/**
 * 32-bit FNV-1a over the UTF-8 bytes, then the finaliser of MurmurHash3 (`fmix32`, Austin Appleby, public domain),
 * since FNV alone mixes the last bytes too little to divide short texts evenly. Not for secrets.
 *
 * @returns 0 ≤ hash < 2^32, the same in every process
 */
export function hashText(text: string): number {
  let hash = OFFSET_BASIS;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) {
      hash = addByte(hash, code);
      continue;
    }
    if (code < 0x800) {
      hash = addByte(hash, 0xc0 | (code >> 6));
    } else {
      if (code < 0x10000) {
        hash = addByte(hash, 0xe0 | (code >> 12));
      } else {
        hash = addByte(hash, 0xf0 | (code >> 18));
        hash = addByte(hash, 0x80 | ((code >> 12) & 0x3f));
      }
      hash = addByte(hash, 0x80 | ((code >> 6) & 0x3f));
    }
    hash = addByte(hash, 0x80 | (code & 0x3f));
  }
  return finalize(hash);
}

/**
 * Where an identity stands in one draw, 0 ≤ bucket < `BUCKETS`. Draws with different names are independent.
 *
 * @param draw e.g. the id of a release
 */
export function bucketOf(draw: string, identity: string): number {
  // The length keeps ("ab", "c") and ("a", "bc") apart.
  const hash = hashText(`${draw.length}:${draw}:${identity}`);
  return Math.floor((hash / 2 ** 32) * BUCKETS);
}

function addByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, PRIME);
}

function finalize(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
