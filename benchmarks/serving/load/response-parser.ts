/** An answer as far as a load generator looks at it. */
export interface ParsedResponse {
  readonly status: number;
  /** Status line and headers as they came, without the blank line. */
  readonly head: string;
  /** Only when the parser was told to keep bodies. */
  readonly body: Buffer | undefined;
}

/**
 * Reads HTTP/1.1 answers (RFC 9112) from the bytes of one connection, as cheaply as possible: status, length, skip the
 * body. One request is on its way at a time, so one answer at most comes out of a chunk.
 *
 * Knows what the servers under test send and nothing else: `Content-Length` bodies and answers without one.
 */
export class ResponseParser {
  readonly #keepBody: boolean;
  #pending: Buffer | undefined;
  #head: string | undefined;
  #bodyBytesLeft = 0;
  #bodyParts: Buffer[] = [];

  constructor({ keepBody }: { readonly keepBody: boolean }) {
    this.#keepBody = keepBody;
  }

  /**
   * @param chunk copied where it must outlive the call, so the caller may use its memory again
   * @returns the answer when this chunk completes one
   * @throws Error when the bytes are not such an answer; the connection is then of no more use
   */
  push(chunk: Buffer): ParsedResponse | undefined {
    if (this.#head === undefined) return this.#readHead(chunk);
    return this.#readBody(this.#head, chunk);
  }

  #readHead(chunk: Buffer): ParsedResponse | undefined {
    const data = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    const end = data.indexOf(END_OF_HEAD);
    if (end < 0) {
      if (data.length > MAX_HEAD_BYTES) throw new Error("The head of an answer is too long.");
      this.#pending = Buffer.from(data);
      return undefined;
    }
    const head = data.toString("latin1", 0, end);
    this.#pending = undefined;
    this.#head = head;
    this.#bodyBytesLeft = contentLengthOf(head);
    return this.#readBody(head, data.subarray(end + END_OF_HEAD.length));
  }

  #readBody(head: string, chunk: Buffer): ParsedResponse | undefined {
    this.#bodyBytesLeft -= chunk.length;
    if (this.#bodyBytesLeft < 0) throw new Error("An answer is longer than its Content-Length.");
    if (this.#keepBody) this.#bodyParts.push(Buffer.from(chunk));
    if (this.#bodyBytesLeft > 0) return undefined;
    const body = this.#keepBody ? Buffer.concat(this.#bodyParts) : undefined;
    this.#bodyParts = [];
    this.#head = undefined;
    return { status: statusOf(head), head, body };
  }
}

const END_OF_HEAD = "\r\n\r\n";
const MAX_HEAD_BYTES = 65_536;
/** As nearly every server writes it; the pattern is for the others. */
const LENGTH_FIELD = "\r\ncontent-length: ";
const LENGTH_PATTERN = /\r\ncontent-length:[ \t]*(\d+)[ \t]*(?:\r\n|$)/i;

/** `HTTP/1.1 200 OK`: three digits at a fixed place. */
function statusOf(head: string): number {
  const status = Number(head.slice(9, 12));
  if (head.startsWith("HTTP/1.") && status >= 200 && status <= 599) return status;
  throw new Error(`Not the start of an answer: ${JSON.stringify(head.slice(0, 40))}`);
}

function contentLengthOf(head: string): number {
  const at = head.indexOf(LENGTH_FIELD);
  if (at >= 0) return Number.parseInt(head.slice(at + LENGTH_FIELD.length, at + 40), 10);
  const match = LENGTH_PATTERN.exec(head);
  if (match !== null) return Number(match[1]);
  const status = statusOf(head);
  if (status === 204 || status === 304) return 0;
  throw new Error("An answer came without Content-Length; other framings are not supported.");
}
