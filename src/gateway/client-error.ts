import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

/** Faults that Node's HTTP parser finds before there is a request. */
const FAULTS: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: "The headers are larger than this server accepts." },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: "The request was not sent in time." },
};

/** Answers what never became a request, in the form of every other error, and ends the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
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
