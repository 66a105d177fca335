import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

/** How often connections are looked at for clients that are too slow. Node's own 30 s would let each hold on that long. */
export const SLOW_CLIENT_CHECK_MS = 1000;

const TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";

/** Faults that Node's HTTP parser finds before there is a request. */
const FAULTS: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: "The headers are larger than this server accepts." },
  [TIMEOUT]: { status: 408, message: "The request was not sent in time." },
};

/** Answers what never became a request, in the form of every other error, and ends the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === TIMEOUT && socket.bytesRead === 0) {
    endIfSilent(socket);
    return;
  }
  const fallback = { status: 400, message: "This is not a valid HTTP request." };
  const { status, message } = FAULTS[error.code ?? ""] ?? fallback;
  const body = JSON.stringify({ error: { code: "invalid_argument", message } });
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "content-type: application/json; charset=utf-8",
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

/** Answers a request whose body did not come in time as the parser's own limit would, and ends the connection. */
export function answerSlowBody({ socket }: IncomingMessage): void {
  answerClientError(Object.assign(new Error("slow body"), { code: TIMEOUT }), socket);
}

/**
 * A connection that was opened ahead of need and never used. It ends without an answer, which a request sent at the same
 * moment would take for its own. A process that was busy looks for such connections before it reads its sockets, so what
 * has arrived meanwhile is read first.
 */
function endIfSilent(socket: Socket): void {
  setImmediate(() => {
    if (socket.bytesRead === 0) socket.end();
  });
}
