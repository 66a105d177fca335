import { promisify } from "node:util";
import { deflate, gzip } from "node:zlib";
import type { Answer } from "./answer.ts";

/** Shorter bodies fit into a packet or two as they are. */
const LEAST_BYTES = 1024;
/** Level 1: an answer is compressed once and read once. */
const OPTIONS = { level: 1 };

const ENCODERS = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;

/**
 * The answer as `accepted`, the value of `Accept-Encoding` (RFC 9110, section 12.5.3), allows it: by gzip or deflate
 * where it is long enough to gain from it.
 */
export async function compressAnswer(answer: Answer, accepted: unknown): Promise<Answer> {
  const encoding = chooseEncoding(accepted);
  if (encoding === undefined) return answer;
  const bytes = typeof answer.body === "string" ? Buffer.from(answer.body) : join(answer.body);
  if (bytes.byteLength < LEAST_BYTES) return answer;
  const body = await ENCODERS[encoding](bytes, OPTIONS);
  const headers = ["content-encoding", encoding, "vary", "accept-encoding"];
  return { ...answer, body: [body], headers: [...(answer.headers ?? []), ...headers] };
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/** The better of the two that the caller takes; a quality of 0 refuses. */
export function chooseEncoding(accepted: unknown): keyof typeof ENCODERS | undefined {
  if (typeof accepted !== "string") return undefined;
  const qualities = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    qualities.set(name, quality === undefined ? 1 : Number(quality.slice(2)));
  }
  const any = qualities.get("*") ?? 0;
  const gzipQuality = qualities.get("gzip") ?? any;
  const deflateQuality = qualities.get("deflate") ?? any;
  if (gzipQuality > 0 && gzipQuality >= deflateQuality) return "gzip";
  return deflateQuality > 0 ? "deflate" : undefined;
}
