import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { createPrecompiledNormalizer } from "./precompiled-map.ts";

const HAS_LEAF = 0x100;

/**
 * A map in the compiled form: a double array where each key has a range of 256 units for each of its bytes. The real
 * ones are packed far more tightly, but are read in the same way.
 */
function compile(replacements: Readonly<Record<string, string>>): string {
  const units: number[] = [];
  let text = "";
  let blocks = 1;
  const blockOf = new Map<string, number>([["", 1]]);
  for (const [key, replacement] of Object.entries(replacements)) {
    const bytes = [...Buffer.from(key)];
    for (const [i, byte] of bytes.entries()) {
      const block = blockOf.get(bytes.slice(0, i).join()) ?? 0;
      const path = bytes.slice(0, i + 1).join();
      const child = blockOf.get(path) ?? ++blocks;
      blockOf.set(path, child);
      const place = (block * 256) ^ byte;
      const isLast = i === bytes.length - 1;
      const leaf = isLast ? HAS_LEAF : (units[place] ?? 0) & HAS_LEAF;
      units[place] = (((place ^ (child * 256)) << 10) | leaf | byte) >>> 0;
      if (isLast) units[child * 256] = (0x80000000 | Buffer.byteLength(text)) >>> 0;
    }
    text += `${replacement}\0`;
  }
  units[0] = (256 << 10) >>> 0;
  const trie = Buffer.alloc(4 * (blocks + 1) * 256);
  for (const [place, unit] of units.entries()) trie.writeUInt32LE(unit ?? 0, 4 * place);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(trie.length);
  return Buffer.concat([size, trie, Buffer.from(text)]).toString("base64");
}

test("characters in the map are replaced, also by nothing, and others stay", () => {
  const normalize = createPrecompiledNormalizer(compile({ Ａ: "A", "½": "1/2", "\u200b": "" }));
  expect(normalize("xＡ½\u200b好😀")).toBe("xA1/2好😀");
});

test("characters that people see as one are looked up together first, then one by one", () => {
  const normalize = createPrecompiledNormalizer(compile({ "e\u0301": "é", "\u0301": "" }));
  expect(normalize("e\u0301 a\u0301")).toBe("é a");
});

test("groups of six bytes and more are looked up one by one alone", () => {
  const normalize = createPrecompiledNormalizer(
    compile({ "e\u0301\u0327\u0328": "x", "\u0328": "" }),
  );
  expect(normalize("e\u0301\u0327\u0328")).toBe("e\u0301\u0327");
});

test("printable ASCII that the map has is replaced as well", () => {
  expect(createPrecompiledNormalizer(compile({ A: "a" }))("AbA")).toBe("aba");
});

test("what is no map is refused", () => {
  const size = Buffer.from([8, 0, 0, 0]).toString("base64");
  for (const map of [undefined, null, "", "!!", size, 3]) {
    expect(() => createPrecompiledNormalizer(map)).toThrow("precompiled_charsmap");
  }
});

test("a map of nonsense replaces something or nothing, but never fails", () => {
  const nonsense = Buffer.alloc(4 + 4096, 0x9e);
  nonsense.writeUInt32LE(4096);
  expect(createPrecompiledNormalizer(nonsense.toString("base64"))("abc äöü 好")).toBeTypeOf(
    "string",
  );
});
