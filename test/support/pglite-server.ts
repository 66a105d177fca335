import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

export interface PgliteServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** PostgreSQL with pgvector in this process, spoken to over a loopback port. It has one session: use one connection. */
export async function startPgliteServer(): Promise<PgliteServer> {
  const db = await PGlite.create({ extensions: { vector } });
  const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: 10 });
  const listening = Promise.withResolvers<number>();
  server.addEventListener("listening", (event) => {
    listening.resolve((event as CustomEvent<{ port: number }>).detail.port);
  });
  await server.start();
  const port = await listening.promise;
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    stop: async () => {
      await server.stop();
      await db.close();
    },
  };
}
