import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../../core/errors.ts";

/** A body that is read as it comes in. */
export interface Upload {
  /** The bytes as they are once `Content-Encoding` is undone. Ends with a SluiceError when they are too many or the client goes away. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Lower-case hex SHA-256 of everything that was read so far, and of `seed`. */
  digest(seed: string): string;
}

/**
 * Opens the body of a request whose route takes it as a stream.
 *
 * @param maxBytes longest body, before and after decompression
 * @throws SluiceError `unsupported_media_type` for an encoding other than gzip
 */
export function openUpload(request: FastifyRequest, maxBytes: number): Upload {
  const body = request.body as Readable;
  const decoded = decode(request, body);
  const hash = createHash("sha256");
  const giveUp = () => {
    if (decoded !== body) {
      body.unpipe();
      decoded.destroy();
    }
    // What is still coming is let through to nobody: cut off, its client could not read the answer.
    body.resume();
  };
  return {
    bytes: readAll(decoded, { maxBytes, giveUp, onPiece: (piece) => hash.update(piece) }),
    digest: (seed) => hash.copy().update(`\n${seed}`).digest("hex"),
  };
}

function decode(request: FastifyRequest, body: Readable): Readable {
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase();
  if (encoding === undefined || encoding === "identity") return body;
  if (encoding !== "gzip") {
    const problem = `knows gzip here; found ${encoding.slice(0, 32)}`;
    throw new SluiceError("unsupported_media_type", `Content-Encoding ${problem}.`, {
      details: [{ field: "content-encoding", problem }],
    });
  }
  const decoded = createGunzip();
  // What goes wrong is thrown to whoever reads, perhaps later than it is noticed.
  decoded.on("error", () => {});
  body.on("close", () => {
    if (!body.readableEnded) decoded.destroy(new Error("The client went away."));
  });
  return body.pipe(decoded);
}

interface ReadOptions {
  readonly maxBytes: number;
  readonly onPiece: (piece: Uint8Array) => void;
  /** Called when the rest is not wanted. */
  readonly giveUp: () => void;
}

async function* readAll(
  body: Readable,
  { maxBytes, onPiece, giveUp }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  let isWhole = false;
  try {
    for await (const piece of body.iterator({ destroyOnReturn: false })) {
      total += piece.length;
      if (total > maxBytes) {
        throw new SluiceError("too_large", `The body is longer than ${maxBytes} bytes; split it.`);
      }
      onPiece(piece);
      yield piece;
    }
    isWhole = true;
  } catch (thrown) {
    throw describeFault(thrown);
  } finally {
    if (!isWhole) giveUp();
  }
}

function describeFault(thrown: unknown): unknown {
  if (thrown instanceof SluiceError || !(thrown instanceof Error)) return thrown;
  const code = "code" in thrown ? String(thrown.code) : "";
  if (code.startsWith("Z_")) {
    return new SluiceError("invalid_argument", "The body is not valid gzip.", {
      cause: thrown,
      details: [{ field: "body", problem: "is not valid gzip" }],
    });
  }
  return new SluiceError("cancelled", "The client went away before all rows were there.", {
    cause: thrown,
  });
}
