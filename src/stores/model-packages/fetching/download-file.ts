import { createWriteStream } from "node:fs";
import { open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { pipeline } from "node:stream/promises";
import type { WebAnswer } from "./ask-web.ts";
import {
  createLastingFault,
  describeStatus,
  describeTransferFault,
  PassingFault,
} from "./fetch-fault.ts";
import type { RetryOptions } from "./with-retries.ts";
import { withRetries } from "./with-retries.ts";

/** What has come already of a file. */
export interface ResumePoint {
  /** Bytes that are there. */
  readonly from: number;
  /** The file's `ETag` or `Last-Modified` then; the rest is of use only while it is the same. */
  readonly validator: string;
}

export interface Download {
  /** What it is, to begin sentences of messages with. */
  readonly what: string;
  /** Where the file goes; until all of it is there, it has `.part` at its end. */
  readonly path: string;
  /** Longest file, in bytes. */
  readonly maxBytes: number;
  /** Asks for the file, or for what is missing of it (RFC 9110, 14.2). */
  readonly ask: (missing: ResumePoint | undefined) => Promise<WebAnswer>;
  /** What an answer says of why it is none, from its body; undefined when nothing. */
  readonly explain?: (body: string) => string | undefined;
}

/** A file that is there whole. */
export interface Downloaded {
  /** Of the answer that began it; empty when an earlier process had got the whole file. */
  readonly headers: IncomingHttpHeaders;
}

const MAX_EXPLANATION_BYTES = 16_384;
/** What is here is of another file than is there now, or longer. */
const CHANGED: ReadonlySet<number> = new Set([412, 416]);

/**
 * Gets a file. What breaks off goes on where it stopped, also after a restart, as long as the file there is the same. Files
 * with this name that are there already are taken for whole.
 *
 * @throws SluiceError `PassingFault` when every try failed; `invalid_argument` for what will not get better; `unavailable` for
 * a disk that takes nothing
 */
export async function downloadFile(download: Download, retry: RetryOptions): Promise<Downloaded> {
  if ((await sizeOf(download.path)) !== undefined) return { headers: {} };
  const part = `${download.path}.part`;
  let longest = 0;
  const headers = await withRetries((progressed) => {
    // Whoever begins anew each time gets nowhere.
    const grown = (size: number) => {
      if (size <= longest) return;
      longest = size;
      progressed();
    };
    return continueDownload(download, part, grown);
  }, retry);
  await rename(part, download.path);
  await rm(noteOf(part), { force: true });
  return { headers };
}

async function continueDownload(
  download: Download,
  part: string,
  grown: (size: number) => void,
): Promise<IncomingHttpHeaders> {
  const { what, maxBytes } = download;
  const missing = await findResumePoint(part);
  const answer = await download.ask(missing);
  answer.body.on("error", () => {});
  const { headers } = answer;
  try {
    const from = await readBeginning(download, answer, { missing, part });
    const total = readTotal(headers, from);
    if ((total ?? 0) > maxBytes) throw describeTooLong(what, maxBytes);
    if (from === 0) await startAnew(part, headers);
    await receive(answer, part, { what, from, maxBytes, grown });
    const size = (await sizeOf(part)) ?? 0;
    if (total !== undefined && size !== total) {
      throw new PassingFault(`${what} broke off after ${size} of ${total} bytes.`);
    }
    return headers;
  } catch (thrown) {
    answer.body.destroy();
    throw describeTransferFault(what, "broke off before all of it had come", thrown);
  }
}

/** @returns where in the file the answer's bytes begin. @throws SluiceError when it has none of it, or others than were asked for */
async function readBeginning(
  download: Download,
  answer: WebAnswer,
  { missing, part }: { readonly missing: ResumePoint | undefined; readonly part: string },
): Promise<number> {
  const { status, headers } = answer;
  if (status === 200) return 0;
  if (status === 206) {
    const from = readStart(headers);
    if (from !== undefined && from === missing?.from) return from;
    await rm(part, { force: true });
    const wrong = "was answered with another part of it than was asked for";
    throw new PassingFault(`${download.what} ${wrong}.`);
  }
  if (CHANGED.has(status)) await rm(part, { force: true });
  throw await describeRefusal(download, answer);
}

async function findResumePoint(part: string): Promise<ResumePoint | undefined> {
  const from = (await sizeOf(part)) ?? 0;
  const validator = await readFile(noteOf(part), "utf8").catch(() => "");
  return from > 0 && validator !== "" ? { from, validator } : undefined;
}

/** A weak `ETag` does not promise the same bytes. */
async function startAnew(part: string, headers: IncomingHttpHeaders): Promise<void> {
  await rm(part, { force: true });
  const { etag, "last-modified": changed = "" } = headers;
  const validator = etag !== undefined && !etag.startsWith("W/") ? etag : changed;
  await writeFile(noteOf(part), validator);
}

interface Receipt {
  readonly what: string;
  readonly from: number;
  readonly maxBytes: number;
  /** Hears how long the file is now. */
  readonly grown: (size: number) => void;
}

async function receive(
  { body }: WebAnswer,
  part: string,
  { what, from, maxBytes, grown }: Receipt,
): Promise<void> {
  let size = from;
  const count = async function* (pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      size += piece.length;
      if (size > maxBytes) throw describeTooLong(what, maxBytes);
      grown(size);
      yield piece;
    }
  };
  await pipeline(body, count, createWriteStream(part, { flags: from === 0 ? "w" : "a" }));
  const file = await open(part, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function describeRefusal({ what, explain }: Download, answer: WebAnswer): Promise<Error> {
  const { status, headers } = answer;
  const said = explain?.(await readStartOfBody(answer).catch(() => ""));
  return describeStatus(what, status, said, headers["retry-after"]);
}

/** The first of a body, which is an explanation for people. */
export async function readStartOfBody({ body }: Pick<WebAnswer, "body">): Promise<string> {
  let text = "";
  for await (const piece of body) {
    text += String(piece);
    if (text.length > MAX_EXPLANATION_BYTES) break;
  }
  return text;
}

function describeTooLong(what: string, maxBytes: number): Error {
  const megabytes = Math.floor(maxBytes / 1024 / 1024);
  return createLastingFault(`${what} is longer than ${megabytes} MB (models.fetching.maxMb).`);
}

function readStart({ "content-range": range = "" }: IncomingHttpHeaders): number | undefined {
  const match = /^bytes (\d+)-/.exec(range);
  return match === null ? undefined : Number(match[1]);
}

/** @returns bytes of the whole file; undefined when the answer does not say */
function readTotal(headers: IncomingHttpHeaders, from: number): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : from + Number(length);
}

function noteOf(part: string): string {
  return `${part}.validator`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
