import fc from "fast-check";
import { expect, test } from "vitest";
import { countCharacters, normalizeText } from "./normalize.ts";

test("plain English text stays as it is", () => {
  expect(normalizeText("The food was great!")).toBe("The food was great!");
});

test("line breaks, tabs, control characters and runs of blanks become one space", () => {
  expect(normalizeText("  good\r\n\tbut \u0000\u0007slow\u2003\u3000service ")).toBe(
    "good but slow service",
  );
});

test("full-width and ligature forms equal their plain forms", () => {
  expect(normalizeText("ＧＯＯＤ！ ﬁne")).toBe("GOOD! fine");
});

test("invisible characters vanish and emoji joiners stay", () => {
  expect(normalizeText("go\u200bod\ufeff \u202edog\u202c")).toBe("good dog");
  expect(normalizeText("👩\u200d💻")).toBe("👩\u200d💻");
});

test("lone surrogates become the replacement character", () => {
  expect(normalizeText("a\ud800b")).toBe("a\ufffdb");
});

test("text of blanks and control characters alone becomes empty", () => {
  expect(normalizeText(" \t\u200b\u0001 ")).toBe("");
});

test("normalizing twice gives the same as once, for any string", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      const once = normalizeText(text);
      expect(normalizeText(once)).toBe(once);
      expect(once.isWellFormed()).toBe(true);
    }),
  );
});

test("ASCII text takes a shorter way to the same result", () => {
  const longWay = (text: string) => normalizeText(`${text}\u00e9`).slice(0, -1).trimEnd();
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 60 });
  const blanks = fc.array(fc.constantFrom(" ", "\n", "\t", "\u007f", "\u0000", "a", "."), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        ascii,
        blanks.map((parts) => parts.join("")),
      ),
      (text) => {
        expect(normalizeText(text)).toBe(longWay(text));
      },
    ),
    { numRuns: 2000 },
  );
});

test("characters are counted as code points", () => {
  expect(countCharacters("naïve 👍")).toBe(7);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(countCharacters(text)).toBe([...text].length);
    }),
  );
});

test("of marks piled up by the thousand no more than any writing has are left", () => {
  const piled = `a${"\u0301\u0327".repeat(2500)}b`;
  expect(normalizeText(piled).length).toBeLessThanOrEqual(32);
  expect(normalizeText(piled)).toMatch(/b$/);
  expect(normalizeText("e\u0301\u0327")).toBe("\u0229\u0301");
});
