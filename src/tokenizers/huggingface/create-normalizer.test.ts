import { expect, test } from "vitest";
import { createNormalizer } from "./create-normalizer.ts";

function normalize(normalizer: unknown, text: string): string {
  return createNormalizer(normalizer, () => /\.+/g)(text);
}

test("no normalizer changes nothing", () => {
  expect(normalize(null, " Aé")).toBe(" Aé");
});

test("each kind does what its name says", () => {
  expect(normalize({ type: "NFKC" }, "ﬁ\u0301")).toBe("fi\u0301".normalize("NFKC"));
  expect(normalize({ type: "StripAccents" }, "e\u0301")).toBe("e");
  expect(normalize({ type: "Prepend", prepend: "_" }, "a")).toBe("_a");
  expect(normalize({ type: "Prepend", prepend: "_" }, "")).toBe("");
  expect(normalize({ type: "Nmt" }, "a\u0001b\u200bc\u007fd\t")).toBe("ab cd ");
  expect(normalize({ type: "ByteLevel" }, "a é\n")).toBe("aĠÃ©Ċ");
});

test("the last sigma of a word is no exception: every letter is made small by itself", () => {
  expect(normalize({ type: "Lowercase" }, "ΟΔΟΣ İ")).toBe("οδοσ i̇");
});

test("blanks are those of Unicode: U+0085 is one and the byte-order mark is none", () => {
  const strip = { type: "Strip", strip_left: true, strip_right: true };
  expect(normalize(strip, "\u0085 \ufeffa\u3000")).toBe("\ufeffa");
  expect(normalize({ ...strip, strip_left: false }, " a ")).toBe(" a");
});

test("a replacement is taken as it is written", () => {
  const replace = { type: "Replace", pattern: { String: "." }, content: "$&!" };
  expect(normalize(replace, "a..b.")).toBe("a$&!b$&!");
});

test("BertNormalizer sets Chinese characters apart, and cleans, and makes small", () => {
  const bert = { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true };
  expect(normalize({ ...bert, lowercase: true, strip_accents: null }, "É\u0000好\t한😀")).toBe(
    "e 好  \u1112\u1161\u11ab😀",
  );
  expect(
    normalize({ ...bert, lowercase: false, strip_accents: false, clean_text: false }, "É\t豈"),
  ).toBe("É\t 豈 ");
});

test("what comes in sequence is done in order", () => {
  const steps = [{ type: "Lowercase" }, { type: "Prepend", prepend: "A" }];
  expect(normalize({ type: "Sequence", normalizers: steps }, "B")).toBe("Ab");
});

test.each([
  [{ type: "Rot13" }, '"Rot13" is not supported'],
  [{ type: "Sequence" }, "normalizers must be an array"],
  [{ type: "Sequence", normalizers: [{ type: "Rot13" }] }, "Rot13"],
  [{ type: "Replace", pattern: { String: "a" } }, "content must be a text"],
  [{ type: "Prepend" }, "prepend must be a text"],
  ["NFC", "must be an object"],
])("refuses %j", (normalizer, problem) => {
  expect(() => normalize(normalizer, "")).toThrow(problem);
});
