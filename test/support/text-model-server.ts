import type { ModelFolder } from "./model-folder.ts";
import { createModelFolder } from "./model-folder.ts";
import type { TestServer } from "./test-server.ts";
import { startTestServer } from "./test-server.ts";
import { createTinyExport } from "./tiny-export.ts";

/** A server with a model for each task about texts: `reviews` (the default), `sentences` and `reranker`. */
export interface TextModelServer extends TestServer {
  /** POSTs JSON to an address of the server. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Stops it and removes its models. */
  close(): Promise<void>;
}

/** Labels of `reviews`, in the model's order. */
export const REVIEW_LABELS = ["negative", "neutral", "positive"];

/** @param flags as for `startTestServer` */
export async function startTextModelServer(
  flags: Readonly<Record<string, string>> = {},
): Promise<TextModelServer> {
  const models = await createModelFolder();
  await writeModels(models);
  const server = await startTestServer({
    "models.directory": models.path,
    "models.default-model": "reviews",
    "rate-limit.requests": "0",
    "overload.max-event-loop-lag-ms": "0",
    "inference.workers": "1",
    ...flags,
  });
  return {
    ...server,
    post: (path, body, headers = {}) =>
      fetch(`${server.url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    close: async () => {
      await server.drain();
      await models.remove();
    },
  };
}

async function writeModels(models: ModelFolder): Promise<void> {
  const architecture = "BertForSequenceClassification";
  await models.writeFiles("reviews", createTinyExport({ architecture, labels: REVIEW_LABELS }));
  await models.writeFiles("reranker", createTinyExport({ architecture, labels: ["LABEL_0"] }));
  await models.writeFiles("sentences", createTinyExport({ architecture: "BertModel" }));
}
