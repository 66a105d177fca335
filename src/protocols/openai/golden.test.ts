import { expect, test } from "vitest";
import { readGoldenFiles } from "../../../test/support/golden-files.ts";
import type { WrittenItem } from "../../../test/support/inference-result.ts";
import { toInferenceResult } from "../../../test/support/inference-result.ts";
import { SluiceError } from "../../core/errors.ts";
import type { InferenceResult } from "../../core/inference/result.ts";
import { decodeEmbeddings } from "./decode-embeddings.ts";
import { decodeModeration } from "./decode-moderation.ts";
import { encodeEmbeddings } from "./encode-embeddings.ts";
import { encodeError } from "./encode-error.ts";
import { encodeModeration } from "./encode-moderation.ts";
import { createLabelFlags } from "./label-flags.ts";

const LIMITS = { maxTextCharacters: 20, maxTextsPerRequest: 4 };
const FLAGS = createLabelFlags({ harmless: ["positive"], thresholds: {} });
const CONTEXT = { requestId: "id-1", flags: FLAGS };

const OPERATIONS = {
  moderation: (body: unknown) => {
    const decoded = decodeModeration(body, LIMITS);
    return { decoded, encode: (result: InferenceResult) => encodeModeration(result, CONTEXT) };
  },
  embeddings: (body: unknown) => {
    const decoded = decodeEmbeddings(body, LIMITS);
    return { decoded, encode: (result: InferenceResult) => encodeEmbeddings(result, decoded, 7) };
  },
} as const;

interface Golden {
  readonly operation: keyof typeof OPERATIONS;
  readonly request: unknown;
  /** Some of what the request is decoded into. */
  readonly decoded?: object;
  readonly result?: readonly WrittenItem[];
  readonly response?: unknown;
  /** In place of `response`. */
  readonly error?: { readonly status: number; readonly body: object };
}

test.each(readGoldenFiles<Golden>("protocols/openai"))("%s", (_name, golden) => {
  const answer = () => {
    const run = OPERATIONS[golden.operation](golden.request);
    if (golden.decoded !== undefined) expect(run.decoded).toMatchObject(golden.decoded);
    return JSON.parse(run.encode(toInferenceResult(golden.result ?? []))) as unknown;
  };
  if (golden.error === undefined) {
    expect(answer()).toEqual(golden.response);
    return;
  }
  const { status, body } = catchError(answer);
  expect({ status, ...JSON.parse(body) }).toEqual({
    status: golden.error.status,
    error: golden.error.body,
  });
});

function catchError(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof SluiceError) return encodeError(error, "id-1");
    throw error;
  }
  throw new Error("there was no error");
}
