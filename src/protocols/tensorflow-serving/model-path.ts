import type { SluiceError } from "../../core/errors.ts";
import { malformed } from "./malformed.ts";

/** What is asked of a model. */
export const INFERENCE_VERBS = ["predict", "classify", "regress"] as const;
export type InferenceVerb = (typeof INFERENCE_VERBS)[number];

/** A model, and which of its versions. */
export interface PathTarget {
  readonly model: string;
  /** As written; `undefined` = the default one, or by the label. */
  readonly version: string | undefined;
  readonly label: string | undefined;
  /** Method and path, for refusals; undefined where the target came in a message. */
  readonly asked?: string;
}

/** An address below `/v1/models`, read. */
export type ModelPath =
  | { readonly kind: "list" }
  | (PathTarget & { readonly kind: "status" | "metadata" | InferenceVerb });

const LIST = /^\/v1\/models\/?$/i;
const TARGET = "/v1/models/([^/:]+)(?:/versions/([^/:]+)|/labels/([^/:]+))?";
const READ = new RegExp(`^${TARGET}(/metadata)?$`, "i");
const ASK = new RegExp(`^${TARGET}:(${INFERENCE_VERBS.join("|")})$`, "i");

/**
 * Reads the address of a request. Fixed words may be in any case; names are percent-decoded.
 *
 * Source: https://www.tensorflow.org/tfx/serving/api_rest and `http_rest_api_util.cc` of TensorFlow Serving
 *
 * @param path without the query
 * @throws SluiceError `invalid_argument` in TensorFlow Serving's words for whatever is no such address: it has no 404 here
 */
export function parseModelPath(method: "GET" | "POST", path: string): ModelPath {
  const wrong = malformed(`Malformed request: ${method} ${path}`, "path");
  if (method === "GET" && LIST.test(path)) return { kind: "list" };
  const found = (method === "GET" ? READ : ASK).exec(path);
  if (found === null) throw wrong;
  const [, name, version, label, last] = found;
  const kind =
    method === "GET" ? (last === undefined ? "status" : "metadata") : toVerb(last, wrong);
  return {
    kind,
    model: decodeName(name, wrong) ?? "",
    version: decodeName(version, wrong),
    label: decodeName(label, wrong),
    asked: `${method} ${path}`,
  };
}

function toVerb(word: string | undefined, wrong: SluiceError): InferenceVerb {
  const verb = INFERENCE_VERBS.find((one) => one === word?.toLowerCase());
  if (verb === undefined) throw wrong;
  return verb;
}

function decodeName(name: string | undefined, wrong: SluiceError): string | undefined {
  if (name === undefined) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    throw wrong;
  }
}
