import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { createHashedNgramsTokenizer } from "./hashed-ngrams.ts";
import type { HashedNgramsSettings } from "./settings.ts";
import { DEFAULT_HASHED_NGRAMS_SETTINGS } from "./settings.ts";

function encode(text: string, changes: Partial<HashedNgramsSettings> = {}): number[] {
  const settings = { ...DEFAULT_HASHED_NGRAMS_SETTINGS, ...changes };
  return [...(createHashedNgramsTokenizer(settings).encode(text).windows[0]?.ids ?? [])];
}

/** Words alone, so that one word is one id. */
const WORDS_ONLY = {
  wordNgrams: { min: 1, max: 1 },
  wordPrefixes: { min: 1, max: 0 },
  negationWords: 0,
};

describe("words", () => {
  test("are the same in upper and lower case, unless case is kept", () => {
    expect(encode("Good ÉTÉ", WORDS_ONLY)).toEqual(encode("good été", WORDS_ONLY));
    const cased = { ...WORDS_ONLY, lowercase: false };
    expect(encode("Good", cased)).not.toEqual(encode("good", cased));
  });

  test("are the same whatever blanks and quotes stand around them", () => {
    expect(encode("good film", WORDS_ONLY)).toEqual(encode(' "good"  film ', WORDS_ONLY));
  });

  test("count as often as they occur", () => {
    const [id = 0] = encode("good", WORDS_ONLY);
    expect(encode("good good good", WORDS_ONLY)).toEqual([id, id, id]);
  });

  test("make pairs with their neighbours, but not across punctuation", () => {
    const pairs = { ...WORDS_ONLY, wordNgrams: { min: 2, max: 2 } };
    expect(encode("very good film", pairs)).toHaveLength(2);
    expect(encode("very, good. film", pairs)).toEqual([1]);
    expect(encode("very good", pairs)).not.toEqual(encode("good very", pairs));
  });

  test("make triples when asked to", () => {
    const triples = { ...WORDS_ONLY, wordNgrams: { min: 3, max: 3 } };
    expect(encode("not so very good", triples)).toHaveLength(2);
  });

  test("share a prefix with words that begin alike", () => {
    const prefixes = { ...WORDS_ONLY, wordPrefixes: { min: 5, max: 5 } };
    const disappointed = encode("disappointed", prefixes);
    const disappointing = encode("disappointing", prefixes);
    expect(disappointed[0]).toBe(disappointing[0]);
    expect(disappointed[1]).not.toBe(disappointing[1]);
    expect(encode("disap", prefixes)).toHaveLength(1);
  });
});

describe("negation", () => {
  const negating = { ...WORDS_ONLY, negationWords: 2 };

  test("turns the next words of the phrase into other features", () => {
    const [plain = 0] = encode("good", negating);
    expect(encode("not good", negating)).not.toContain(plain);
    expect(encode("not a b good", negating)).toContain(plain);
    expect(encode("not this, good", negating)).toContain(plain);
  });

  test.each(["didn't", "did n't", "did not", "didn’t", "DIDN'T"])("is seen in %s", (text) => {
    const [plain = 0] = encode("work", negating);
    expect(encode(`${text} work`, negating)).not.toContain(plain);
  });

  test("splits contractions like the treebanks do", () => {
    expect(encode("don't", WORDS_ONLY)).toEqual(encode("do n't", WORDS_ONLY));
    expect(encode("it's", WORDS_ONLY)).toEqual(encode("it 's", WORDS_ONLY));
    expect(encode("ain'tight", WORDS_ONLY)).toEqual(encode("ain tight", WORDS_ONLY));
  });
});

describe("scripts without blanks", () => {
  test("give runs of characters, the ends of the run included", () => {
    // Four characters: 4 single, 3 + 2 ends in pairs, 2 + 2 ends in triples.
    expect(encode("很不喜欢")).toHaveLength(4 + 5 + 4);
  });

  test("end at punctuation, blanks and Latin letters", () => {
    const pairs = { unspacedNgrams: { min: 2, max: 2 } };
    expect(encode("喜欢，很好", pairs)).toEqual(encode("喜欢 很好", pairs));
    expect(encode("喜欢ok很好", pairs)).toHaveLength(7);
  });
});

describe("signs", () => {
  test("count when they carry mood: !, ?, runs and emoji", () => {
    for (const text of ["!", "?", ":)", "...", "😂", "♥"]) {
      expect(encode(text), text).toHaveLength(1);
      expect(encode(text), text).not.toEqual([1]);
    }
    expect(encode("😂")).not.toEqual(encode("😭"));
    expect(encode("😂😂")).toHaveLength(2);
    expect(encode("!!!!!!")).toEqual(encode("!!!"));
  });

  test("do not count alone when they are mere punctuation", () => {
    expect(encode("good.", WORDS_ONLY)).toEqual(encode("good", WORDS_ONLY));
    expect(encode("(", WORDS_ONLY)).toEqual([1]);
  });
});

describe("limits", () => {
  test("an empty text has the one id kept for it", () => {
    expect(encode("")).toEqual([1]);
    expect(encode(" \t ")).toEqual([1]);
  });

  test("reading stops at maxIds and says so", () => {
    const tokenizer = createHashedNgramsTokenizer({
      ...DEFAULT_HASHED_NGRAMS_SETTINGS,
      maxIds: 16,
    });
    const cut = tokenizer.encode("word ".repeat(20));
    expect(cut.truncated).toBe(true);
    expect(cut.windows[0]?.ids).toHaveLength(16);
    expect(tokenizer.encode("word").truncated).toBe(false);
    expect(tokenizer.encode("好".repeat(99)).windows[0]?.ids).toHaveLength(16);
  });

  test("ids are pinned, because shipped weights depend on them", () => {
    expect(encode("Don't stop: 质量很好 😂!")).toMatchInlineSnapshot(`
      [
        100305,
        136929,
        41768,
        194133,
        22467,
        229056,
        23738,
        232732,
        61508,
        212924,
        112019,
        119323,
        117925,
        38733,
        183268,
        116405,
        215048,
        108132,
        239774,
        119515,
        65101,
      ]
    `);
  });
});

describe("settings", () => {
  test("are refused with everything that is wrong named at once", () => {
    const settings = { ...DEFAULT_HASHED_NGRAMS_SETTINGS, buckets: 1000, lowercase: "yes" };
    let thrown: unknown;
    try {
      createHashedNgramsTokenizer(settings);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SluiceError);
    const { details } = thrown as SluiceError;
    expect(details.map(({ field }) => field)).toEqual(["tokenizer.buckets", "tokenizer.lowercase"]);
  });

  test.each([
    ["kind", "wordpiece"],
    ["revision", 2],
    ["wordNgrams", { min: 2, max: 1 }],
    ["wordPrefixes", { min: 0, max: 3 }],
    ["unspacedNgrams", { min: 1, max: 9 }],
    ["negationWords", -1],
    ["negations", ["n't"]],
    ["maxIds", 1.5],
  ])("%s may not be %j", (field, value) => {
    const settings = { ...DEFAULT_HASHED_NGRAMS_SETTINGS, [field]: value };
    expect(() => createHashedNgramsTokenizer(settings)).toThrow(`tokenizer.${field} must be`);
  });

  test("must be an object", () => {
    expect(() => createHashedNgramsTokenizer("hashed-ngrams")).toThrow("JSON object");
  });
});
