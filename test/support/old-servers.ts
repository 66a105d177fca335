import type { Server, Socket } from "node:net";
import { createServer } from "node:net";

/** Says what a server of an old version says first, and nothing that a client would need afterwards. */
export interface OldServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A server of NATS as far as its greeting: https://docs.nats.io/reference/reference-protocols/nats-protocol. */
export function startOldNats(version: string): Promise<OldServer> {
  const info = { server_id: "OLD", version, proto: 1, max_payload: 1_048_576, jetstream: true };
  return listen((socket) => {
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on("data", (data) => {
      if (data.toString().includes("PING")) socket.write("PONG\r\n");
    });
  });
}

/** A Redis server as far as `INFO`, which is what it says to every command. */
export function startOldRedis(version: string): Promise<OldServer> {
  const text = `redis_version:${version}\r\nloading:0\r\n`;
  return listen((socket) => {
    socket.on("data", () => socket.write(`$${text.length}\r\n${text}\r\n`.repeat(4)));
  });
}

/**
 * A PostgreSQL server that lets everybody in, and answers every query with its version number: the messages are those of
 * https://www.postgresql.org/docs/current/protocol-message-formats.html.
 */
export function startOldPostgres(versionNumber: string): Promise<OldServer> {
  return listen((socket) => {
    let isStarted = false;
    socket.on("data", (data) => {
      if (isStarted) {
        // The last of the messages that make a query is Sync, `S`, or the query is a simple one, `Q`.
        const type = String.fromCharCode(data[0] ?? 0);
        if (type === "Q" || data.includes("S\0\0\0\x04")) answer(socket, versionNumber);
      } else {
        isStarted = true;
        socket.write(
          Buffer.concat([message("R", Buffer.alloc(4)), message("Z", Buffer.from("I"))]),
        );
      }
    });
  });
}

function answer(socket: Socket, value: string): void {
  const column = Buffer.alloc(18);
  column.writeInt32BE(25, 6);
  column.writeInt16BE(-1, 10);
  column.writeInt32BE(-1, 12);
  const description = Buffer.concat([Buffer.from([0, 1]), Buffer.from("version\0"), column]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(value.length);
  socket.write(
    Buffer.concat([
      ...[message("1"), message("2"), message("T", description)],
      message("D", Buffer.concat([Buffer.from([0, 1]), size, Buffer.from(value)])),
      ...[message("C", Buffer.from("SELECT 1\0")), message("Z", Buffer.from("I"))],
    ]),
  );
}

function message(type: string, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

async function listen(serve: (socket: Socket) => void): Promise<OldServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
