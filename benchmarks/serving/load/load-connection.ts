import type { Socket } from "node:net";
import { connect } from "node:net";
import type { LoadErrors } from "./load-job.ts";
import type { LoadRequest } from "./load-loop.ts";
import type { ParsedResponse } from "./response-parser.ts";
import { ResponseParser } from "./response-parser.ts";

/** The answer to one request and when it was due, written and complete. */
export interface TimedResponse {
  readonly request: LoadRequest;
  readonly response: ParsedResponse;
  readonly dueMs: number;
  readonly writtenMs: number;
  readonly answeredMs: number;
}

export interface LoadConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly keepBodies: boolean;
  readonly onAnswer: (connection: LoadConnection, answer: TimedResponse) => void;
  /** The request is lost and the connection closed; `open` makes it usable again. */
  readonly onFault: (connection: LoadConnection, fault: keyof LoadErrors) => void;
  /** The server ended the connection between two requests, which is its right. */
  readonly onIdleEnd: (connection: LoadConnection) => void;
}

/** Enough for nearly every answer in one read. */
const READ_BUFFER_BYTES = 16_384;

/** A keep-alive connection with at most one request on its way. */
export class LoadConnection {
  /** Place among its siblings. */
  readonly index: number;
  readonly #options: LoadConnectionOptions;
  readonly #buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
  #parser: ResponseParser;
  #socket: Socket | undefined;
  #request: LoadRequest | undefined;
  #dueMs = 0;
  #writtenMs = 0;

  constructor(index: number, options: LoadConnectionOptions) {
    this.index = index;
    this.#options = options;
    this.#parser = new ResponseParser({ keepBody: options.keepBodies });
  }

  get busy(): boolean {
    return this.#request !== undefined;
  }

  /** False before `open` and once the server has ended the connection. */
  get usable(): boolean {
    return this.#socket !== undefined;
  }

  /** @throws Error when the server does not accept the connection */
  open(): Promise<void> {
    this.close();
    const { host, port, keepBodies } = this.#options;
    this.#parser = new ResponseParser({ keepBody: keepBodies });
    return new Promise((resolve, reject) => {
      const socket: Socket = connect({
        host,
        port,
        noDelay: true,
        // One buffer for all reads: a new one for each would be most of the generator's work.
        onread: {
          buffer: this.#buffer,
          callback: (length, buffer): boolean =>
            this.#read(socket, Buffer.from(buffer.buffer, buffer.byteOffset, length)),
        },
      });
      socket.once("connect", () => {
        this.#socket = socket;
        resolve();
      });
      socket.on("error", (error) => {
        reject(error);
        this.#fail(socket, "reset");
      });
      socket.on("close", () => this.#fail(socket, "reset"));
    });
  }

  /** @param dueMs when the request should have been written, on the clock of `performance.now` */
  send(request: LoadRequest, dueMs: number): void {
    this.#request = request;
    this.#dueMs = dueMs;
    this.#writtenMs = performance.now();
    this.#socket?.write(request.bytes);
  }

  /** Gives the request up when it has been on its way for too long. */
  expire(nowMs: number, timeoutMs: number): void {
    const socket = this.#socket;
    if (socket === undefined || !this.busy || nowMs - this.#writtenMs < timeoutMs) return;
    this.#fail(socket, "timeout");
  }

  /** Ends the connection without a word; a request on its way is forgotten. */
  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#request = undefined;
    socket?.destroy();
  }

  #read(socket: Socket, chunk: Buffer): boolean {
    if (socket !== this.#socket) return true;
    const response = this.#parse(socket, chunk);
    if (response !== undefined) this.#answer(response);
    return true;
  }

  #parse(socket: Socket, chunk: Buffer): ParsedResponse | undefined {
    try {
      return this.#parser.push(chunk);
    } catch {
      this.#fail(socket, "malformed");
      return undefined;
    }
  }

  #answer(response: ParsedResponse): void {
    const request = this.#request;
    this.#request = undefined;
    if (request === undefined) return;
    const answeredMs = performance.now();
    const { onAnswer } = this.#options;
    onAnswer(this, {
      request,
      response,
      dueMs: this.#dueMs,
      writtenMs: this.#writtenMs,
      answeredMs,
    });
  }

  #fail(socket: Socket, fault: keyof LoadErrors): void {
    if (socket !== this.#socket) return;
    const wasBusy = this.busy;
    this.close();
    if (wasBusy) this.#options.onFault(this, fault);
    else this.#options.onIdleEnd(this);
  }
}
