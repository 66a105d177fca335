import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** An HTTP server on the loopback that does what a test says. */
export interface ScriptedHttpServer {
  readonly url: string;
  readonly port: number;
  /** Connections that were opened since the start. */
  readonly connections: number;
  /** Requests that came since the start. */
  readonly requests: number;
  /** Ends every connection at once and listens no more. */
  kill(): Promise<void>;
  /** Closes the connections that wait for a request, or all of them. */
  closeConnections(): void;
}

/** @param port 0 = any */
export async function startScriptedHttpServer(
  handle: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void,
  port = 0,
): Promise<ScriptedHttpServer> {
  let requests = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    requests++;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => handle(request, response, Buffer.concat(chunks)));
    request.on("error", () => {});
  });
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  const closeConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    get connections() {
      return connections;
    },
    get requests() {
      return requests;
    },
    closeConnections,
    kill: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        closeConnections();
      }),
  };
}
