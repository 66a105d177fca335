import { invalidField } from "../invalid-field.ts";

/** Header that says how many bytes of a body are JSON. The binary part follows them. */
export const HEADER_LENGTH_HEADER = "inference-header-content-length";

/** The parts of a body of the binary tensor extension. Views of it. */
export interface SplitBody {
  /** `undefined`: the whole body is the one input itself. */
  readonly json: Uint8Array | undefined;
  readonly binary: Uint8Array;
}

/**
 * Splits a body where its header says that the JSON ends.
 *
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 *
 * @param headerLength value of `Inference-Header-Content-Length`; undefined: all of the body is JSON
 * @throws SluiceError `invalid_argument` when the value is no number, or more than the body has
 */
export function splitBody(body: Uint8Array, headerLength: string | undefined): SplitBody {
  if (headerLength === undefined) return { json: body, binary: body.subarray(body.byteLength) };
  const length = /^\s*\d{1,15}\s*$/.test(headerLength) ? Number(headerLength) : Number.NaN;
  if (Number.isNaN(length)) {
    throw invalidField("Inference-Header-Content-Length", "must be a whole number of bytes");
  }
  if (length > body.byteLength) {
    const problem = `says ${length} bytes of JSON, but the body has ${body.byteLength}`;
    throw invalidField("Inference-Header-Content-Length", problem);
  }
  if (length === 0) return { json: undefined, binary: body };
  return { json: body.subarray(0, length), binary: body.subarray(length) };
}
