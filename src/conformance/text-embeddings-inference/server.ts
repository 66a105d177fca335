import { SluiceError } from "../../core/errors.ts";
import type { JsonObject } from "../judge.ts";
import { describeAnswer, isObject, readObject } from "../judge.ts";
import type { RawAnswer, Send } from "../raw-http.ts";

/** What the served model does; each has calls of its own, and the others' are refused. */
export const MODEL_KINDS = ["classifier", "embedding", "reranker"] as const;

export type ModelKind = (typeof MODEL_KINDS)[number];

/** A server of Text Embeddings Inference, which has one model. */
export interface TextServer {
  readonly send: Send;
  readonly kind: ModelKind;
  /** The answer of `/info`. */
  readonly info: JsonObject;
}

/** Asks what model there is. Throws `unavailable` when `/info` does not tell. */
export async function findTextServer(send: Send): Promise<TextServer> {
  const answer = await send({ method: "GET", path: "/info" });
  const info = answer.status === 200 ? readObject(answer) : undefined;
  const type = info?.["model_type"];
  // `{"classifier": {…}}`, or a plain word from older servers.
  const kind = MODEL_KINDS.find((name) =>
    isObject(type) ? name in type : String(type).toLowerCase() === name,
  );
  if (info === undefined || kind === undefined) {
    throw new SluiceError(
      "unavailable",
      `GET /info names no kind of model that is known: ${describeAnswer(answer)}`,
    );
  }
  return { send, kind, info };
}

/** Sends JSON; a text goes out as it is. */
export function post(server: TextServer, path: string, body: unknown): Promise<RawAnswer> {
  return server.send({
    method: "POST",
    path,
    headers: { "Content-Type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** A label with its score. */
export interface Scored {
  readonly label: string;
  readonly score: number;
}

/** The value as a list of labels with scores; undefined when it is none. */
export function readScored(value: unknown): Scored[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const scored = value.filter(
    (one): one is Scored =>
      isObject(one) && typeof one["label"] === "string" && typeof one["score"] === "number",
  );
  return scored.length === value.length ? scored : undefined;
}

/** Whether nothing in the list is larger than what comes before it. */
export function isDescending(values: readonly number[]): boolean {
  return values.every((value, place) => place === 0 || value <= (values[place - 1] ?? value));
}
