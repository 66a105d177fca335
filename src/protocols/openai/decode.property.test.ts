import fc from "fast-check";
import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { decodeEmbeddings } from "./decode-embeddings.ts";
import { decodeModeration } from "./decode-moderation.ts";

const LIMITS = { maxTextCharacters: 20, maxTextsPerRequest: 4 };

const DECODERS = {
  moderation: (body: unknown) => decodeModeration(body, LIMITS),
  embeddings: (body: unknown) => decodeEmbeddings(body, LIMITS),
} as const;

const text = fc.oneof(fc.string({ maxLength: 30 }), fc.jsonValue());
const part = fc.record({ type: fc.constantFrom("text", "image_url", "audio"), text });
const body = fc.record(
  {
    input: fc.oneof(
      text,
      fc.array(fc.oneof(text, part), { maxLength: 5 }),
      fc.array(part, { maxLength: 5 }),
    ),
    model: fc.oneof(fc.string(), fc.jsonValue()),
    encoding_format: fc.oneof(fc.constantFrom("float", "base64"), fc.jsonValue()),
    dimensions: fc.oneof(fc.integer(), fc.jsonValue()),
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
        for (const input of inputs) {
          expect(input.text).not.toBe("");
          expect([...input.text].length).toBeLessThanOrEqual(LIMITS.maxTextCharacters);
        }
      }),
      { numRuns: 500 },
    );
  },
);
