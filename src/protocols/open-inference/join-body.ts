/** A body as it is sent, in pieces, so that tensors need not be copied into one. */
export interface EncodedBody {
  /** One after the other. Tensors are views of their own memory: nobody modifies it before the body is sent. */
  readonly chunks: readonly Uint8Array[];
  /** Value for `Inference-Header-Content-Length`; undefined: the body is JSON and nothing else. */
  readonly headerLength: number | undefined;
}

/** The elements of a tensor begin at a multiple of this, if the body does. */
const ALIGNMENT = 8;
const SPACE = 0x20;

/**
 * A body of JSON and, where there are any, binary parts. Spaces behind the JSON, which count as a part of it, put the
 * first binary part where readers can use it without a copy.
 *
 * @param binary undefined: there is no binary part, not even an empty one
 */
export function joinBody(json: string, binary: readonly Uint8Array[] | undefined): EncodedBody {
  const bytes = Buffer.from(json);
  if (binary === undefined) return { chunks: [bytes], headerLength: undefined };
  const padding = (ALIGNMENT - (bytes.byteLength % ALIGNMENT)) % ALIGNMENT;
  const filled = binary.filter(({ byteLength }) => byteLength > 0);
  const spaces = new Uint8Array(padding).fill(SPACE);
  const chunks = padding === 0 ? [bytes, ...filled] : [bytes, spaces, ...filled];
  return { chunks, headerLength: bytes.byteLength + padding };
}

/** How many bytes a body has. */
export function countBytes({ chunks }: EncodedBody): number {
  return chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
