import type { InferenceResult } from "../../core/inference/result.ts";
import { requireAnswers, requireVector } from "../require-answers.ts";
import { shapeVector } from "../shape-vector.ts";
import type { DecodedEmbeddings } from "./decode-embeddings.ts";

/**
 * Body of the answer of `POST /v1/embeddings`.
 *
 * @param tokens of all texts together, as the model's tokenizer counts them
 * @throws SluiceError of the first text that failed, naming it; `invalid_argument` when the vectors are shorter than the
 * caller wants them
 */
export function encodeEmbeddings(
  result: InferenceResult,
  request: DecodedEmbeddings,
  tokens: number,
): string {
  const data = requireAnswers(result, "input").map((item, index) => {
    const values = shapeVector(requireVector(item, `input[${index}]`), request.shape);
    const embedding =
      request.encoding === "base64" ? `"${toBase64(values)}"` : JSON.stringify(Array.from(values));
    return `{"object":"embedding","index":${index},"embedding":${embedding}}`;
  });
  const usage = `{"prompt_tokens":${tokens},"total_tokens":${tokens}}`;
  return `{"object":"list","data":[${data.join()}],"model":"${result.model}","usage":${usage}}`;
}

/** The bytes as they lie in memory: every machine that Node runs on is little-endian. */
function toBase64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}
