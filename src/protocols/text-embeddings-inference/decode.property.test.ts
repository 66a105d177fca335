import fc from "fast-check";
import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { decideOperation } from "./decide-operation.ts";
import { decodeEmbed } from "./decode-embed.ts";
import { decodePredict } from "./decode-predict.ts";
import { decodeRerank } from "./decode-rerank.ts";
import { decodeSimilarity } from "./decode-similarity.ts";
import { decodeTokenize } from "./decode-tokenize.ts";

const LIMITS = { maxTextCharacters: 20, maxTextsPerRequest: 4 };

const DECODERS = {
  predict: (body: unknown) => decodePredict(body, LIMITS, { isTaskApi: false }),
  embed: (body: unknown) => decodeEmbed(body, LIMITS),
  similarity: (body: unknown) => decodeSimilarity(body, LIMITS),
  rerank: (body: unknown) => decodeRerank(body, LIMITS),
} as const;

const text = fc.oneof(fc.string({ maxLength: 30 }), fc.jsonValue());
/** Bodies that are right in many fields and wrong in some: where a decoder has the most to decide. */
const body = fc.record(
  {
    inputs: fc.oneof(
      text,
      fc.array(fc.oneof(text, fc.array(text, { maxLength: 3 })), { maxLength: 5 }),
      fc.record({ source_sentence: text, sentences: fc.array(text, { maxLength: 5 }) }),
      fc.record({ text, text_pair: text }),
    ),
    query: text,
    texts: fc.oneof(fc.array(text, { maxLength: 5 }), fc.jsonValue()),
    parameters: fc.oneof(
      fc.jsonValue(),
      fc.record({ top_k: fc.jsonValue(), function_to_apply: fc.jsonValue() }),
    ),
    truncate: fc.oneof(fc.boolean(), fc.jsonValue()),
    truncation_direction: fc.oneof(fc.constantFrom("left", "Right"), fc.jsonValue()),
    raw_scores: fc.oneof(fc.boolean(), fc.jsonValue()),
    dimensions: fc.oneof(fc.integer(), fc.jsonValue()),
    model: fc.oneof(fc.string(), fc.jsonValue()),
  },
  { requiredKeys: [] },
);

test.each(Object.entries(DECODERS))(
  "%s: whatever JSON comes in becomes texts within the limits, or an error that names fields",
  (_name, decode) => {
    fc.assert(
      fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
        let inputs: ReturnType<typeof decode>["inputs"];
        try {
          inputs = decode(value).inputs;
        } catch (error) {
          if (!(error instanceof SluiceError)) throw error;
          expect(error.code).toBe("invalid_argument");
          expect(error.details.length).toBeGreaterThan(0);
          return;
        }
        expect(inputs.length).toBeGreaterThan(0);
        expect(inputs.length).toBeLessThanOrEqual(LIMITS.maxTextsPerRequest);
        for (const { text: first, pair } of inputs) {
          for (const part of pair === undefined ? [first] : [first, pair]) {
            expect(part).not.toBe("");
            expect([...part].length).toBeLessThanOrEqual(LIMITS.maxTextCharacters);
          }
        }
      }),
      { numRuns: 500 },
    );
  },
);

test("tokenize: whatever JSON comes in becomes texts, or an error that names fields", () => {
  fc.assert(
    fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
      try {
        const { texts } = decodeTokenize(value, LIMITS);
        expect(texts.length).toBeGreaterThan(0);
        expect(texts.every((one) => one !== "")).toBe(true);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        expect(error.code).toBe("invalid_argument");
      }
    }),
  );
});

test("a body without an address of its own always asks for something", () => {
  fc.assert(
    fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
      expect(Object.keys(DECODERS)).toContain(decideOperation(value, "classification"));
      expect(Object.keys(DECODERS)).toContain(decideOperation(value, "embedding"));
    }),
  );
});
