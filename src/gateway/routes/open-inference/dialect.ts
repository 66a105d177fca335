import type { FastifyRequest } from "fastify";
import { encodeOpenInferenceError } from "../../../protocols/open-inference/encode-error.ts";

/** What all routes of the protocol share. */
export const OPEN_INFERENCE = {
  encodeError: encodeOpenInferenceError,
  body: "bytes",
  compresses: true,
} as const;

/** What an entry of the OpenAPI document needs at least. */
export function describeRoute(summary: string): object {
  return { summary, tags: ["open inference"], security: [{}, { apiKey: [] }] };
}

const NOTHING = new Uint8Array(0);

/** The bytes of a body; none where nothing was sent. */
export function bytesOf({ body }: FastifyRequest): Uint8Array {
  return body instanceof Uint8Array ? body : NOTHING;
}
