import { expect, test } from "vitest";
import { readGoldenFiles } from "../../../test/support/golden-files.ts";
import type { WrittenItem } from "../../../test/support/inference-result.ts";
import { toInferenceResult } from "../../../test/support/inference-result.ts";
import { SluiceError } from "../../core/errors.ts";
import type { InferenceResult } from "../../core/inference/result.ts";
import { decodeEmbed } from "./decode-embed.ts";
import { decodePredict } from "./decode-predict.ts";
import { decodeRerank } from "./decode-rerank.ts";
import { decodeSimilarity } from "./decode-similarity.ts";
import { encodeEmbed } from "./encode-embed.ts";
import { encodeError } from "./encode-error.ts";
import { encodePredict } from "./encode-predict.ts";
import { encodeRerank } from "./encode-rerank.ts";
import { encodeSimilarity } from "./encode-similarity.ts";

const LIMITS = { maxTextCharacters: 20, maxTextsPerRequest: 4 };

const OPERATIONS = {
  predict: (body: unknown, isTaskApi: boolean) =>
    withEncoder(decodePredict(body, LIMITS, { isTaskApi }), encodePredict),
  embed: (body: unknown) => withEncoder(decodeEmbed(body, LIMITS), encodeEmbed),
  similarity: (body: unknown) => withEncoder(decodeSimilarity(body, LIMITS), encodeSimilarity),
  rerank: (body: unknown) => withEncoder(decodeRerank(body, LIMITS), encodeRerank),
} as const;

function withEncoder<Decoded>(
  decoded: Decoded,
  encode: (result: InferenceResult, request: Decoded) => string,
) {
  return { decoded, encode: (result: InferenceResult) => encode(result, decoded) };
}

interface Golden {
  readonly operation: keyof typeof OPERATIONS;
  readonly isTaskApi?: boolean;
  readonly request: unknown;
  /** Some of what the request is decoded into. */
  readonly decoded?: object;
  readonly result?: readonly WrittenItem[];
  readonly response?: unknown;
  /** In place of `response`. */
  readonly error?: { readonly status: number; readonly type: string; readonly says: string };
}

test.each(readGoldenFiles<Golden>("protocols/text-embeddings-inference"))("%s", (_name, golden) => {
  const answer = () => {
    const run = OPERATIONS[golden.operation](golden.request, golden.isTaskApi === true);
    if (golden.decoded !== undefined) expect(run.decoded).toMatchObject(golden.decoded);
    return JSON.parse(run.encode(toInferenceResult(golden.result ?? []))) as unknown;
  };
  if (golden.error === undefined) {
    expect(answer()).toEqual(golden.response);
    return;
  }
  const { status, body } = catchError(answer);
  expect(status).toBe(golden.error.status);
  expect(JSON.parse(body)).toEqual({
    error: expect.stringContaining(golden.error.says),
    error_type: golden.error.type,
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
