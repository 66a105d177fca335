import type { Tensor } from "../../core/ports/tensor.ts";
import { parseJsonPart } from "./parse-json-part.ts";
import { readWireTensors } from "./read-wire-tensors.ts";
import { toRemoteProblem } from "./remote-problem.ts";
import { splitBody } from "./split-body.ts";

/** Deeper than any tensor nests. */
const MAX_JSON_DEPTH = 100;

/** What another server answered. */
export interface InferResponse {
  readonly model: string | undefined;
  /** `undefined` where the server says none. */
  readonly version: string | undefined;
  readonly id: string | undefined;
  readonly outputs: readonly Tensor[];
}

/**
 * Decodes the answer of another server, in JSON or with binary parts. What servers add (parameters, nulls) is left out;
 * names, datatypes, shapes and sizes must be right.
 *
 * @param headerLength value of the answer's `Inference-Header-Content-Length`
 * @throws SluiceError `unavailable` when it is no such answer: the server is broken, or speaks something else
 */
export function decodeInferResponse(
  body: Uint8Array,
  headerLength: string | undefined,
): InferResponse {
  return toRemoteProblem(() => {
    const { json, binary } = splitBody(body, headerLength);
    const part = parseJsonPart(json ?? new Uint8Array(0), MAX_JSON_DEPTH);
    const { fields } = part;
    return {
      model: toText(fields["model_name"]),
      version: toText(fields["model_version"]),
      id: toText(fields["id"]),
      outputs: readWireTensors(part, "outputs", binary),
    };
  });
}

function toText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
