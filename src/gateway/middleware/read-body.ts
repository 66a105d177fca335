import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../core/errors.ts";
import { parseJsonBody } from "./json-body.ts";

export interface BodyLimits {
  readonly maxJsonDepth: number;
  /** Longest body once it is decompressed. */
  readonly maxBytes: number;
}

const JSON_TYPE = /^application\/([\w.-]+\+)?json(;|$)/i;

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/**
 * Makes of the bytes of a body what its route takes (`RequestContext.body`): bytes, or parsed JSON.
 *
 * @returns a promise only when the body came compressed
 * @throws SluiceError `unsupported_media_type` for what is no JSON where JSON is wanted, or is compressed in another way
 * than gzip and deflate; `too_large` when it would grow beyond the limit; `invalid_argument` when it cannot be read
 */
export function readBody(
  request: FastifyRequest,
  body: Buffer,
  limits: BodyLimits,
): unknown | Promise<unknown> {
  const wantsJson = request.context.body === "json";
  if (wantsJson && !JSON_TYPE.test(request.headers["content-type"] ?? "")) throw notJson();
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") {
    return wantsJson ? parseJsonBody(body, limits.maxJsonDepth) : body;
  }
  return decompress(body, encoding, limits.maxBytes).then((bytes) =>
    wantsJson ? parseJsonBody(bytes, limits.maxJsonDepth) : bytes,
  );
}

async function decompress(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const decode = DECODERS[encoding.trim().toLowerCase() as keyof typeof DECODERS];
  if (decode === undefined) {
    const problem = `knows gzip and deflate; found ${encoding.slice(0, 32)}`;
    throw new SluiceError("unsupported_media_type", `Content-Encoding ${problem}.`, {
      details: [{ field: "content-encoding", problem }],
    });
  }
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) {
      const message = `The body is longer than ${maxBytes} bytes once it is decompressed.`;
      throw new SluiceError("too_large", message);
    }
    const problem = `is not valid ${encoding}`;
    throw new SluiceError("invalid_argument", `The body ${problem}.`, {
      details: [{ field: "body", problem }],
    });
  }
}

function notJson(): SluiceError {
  const message = "Send the body as JSON, with the header 'Content-Type: application/json'.";
  return new SluiceError("unsupported_media_type", message);
}
