import type { TextManifest } from "../../core/models/manifest.ts";

/** What `GET /info` tells about the server and the model that answers when a request names none. */
export interface ServerInfo {
  readonly manifest: Pick<TextManifest, "name" | "version" | "task" | "labels" | "output">;
  /** SHA-256 of the package, or `undefined`. */
  readonly digest: string | undefined;
  /** How the weights are stored, such as `float32`. */
  readonly dataType: string;
  /** Most requests that may wait or run at once. */
  readonly maxConcurrentRequests: number;
  /** Most tokens that the model reads at once. */
  readonly maxInputTokens: number;
  readonly maxBatchTokens: number;
  readonly maxBatchItems: number;
  readonly maxTextsPerRequest: number;
  readonly tokenizationWorkers: number;
  /** Version of this program. */
  readonly programVersion: string;
}

/** Body of the answer of `GET /info`. */
export function encodeInfo(info: ServerInfo): string {
  const { manifest } = info;
  return JSON.stringify({
    model_id: manifest.name,
    model_sha: info.digest ?? null,
    model_dtype: info.dataType,
    served_model_name: manifest.name,
    model_type: toModelType(manifest),
    max_concurrent_requests: info.maxConcurrentRequests,
    max_input_length: info.maxInputTokens,
    max_batch_tokens: info.maxBatchTokens,
    max_batch_requests: info.maxBatchItems,
    max_client_batch_size: info.maxTextsPerRequest,
    auto_truncate: true,
    tokenization_workers: info.tokenizationWorkers,
    version: info.programVersion,
    sha: null,
    docker_label: null,
  });
}

function toModelType({ task, labels, output }: ServerInfo["manifest"]): object {
  if (task === "embedding") return { embedding: { pooling: output.pooling } };
  const id2label = Object.fromEntries(labels.map((label, id) => [String(id), label]));
  const label2id = Object.fromEntries(labels.map((label, id) => [label, id]));
  return { [task === "scoring" ? "reranker" : "classifier"]: { id2label, label2id } };
}
