import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import type { Logger } from "../core/ports/logger.ts";
import type { GrpcServer } from "./grpc-server.ts";

export interface GrpcPortOptions {
  /** Makes the server; called once, by the first connection. */
  readonly loadServer: () => Promise<GrpcServer>;
  readonly maxConnections: number;
  readonly logger: Logger;
}

/**
 * The port for gRPC. Its libraries and messages take a tenth of a second and some fifty megabytes, which nobody pays
 * before the first caller comes: until then there is nothing but a socket that listens.
 */
export class GrpcPort {
  readonly #options: GrpcPortOptions;
  readonly #listener: Server;
  /** Connections that were accepted and are not closed. */
  readonly #open = new Set<Socket>();
  #server: Promise<GrpcServer> | undefined;

  constructor(options: GrpcPortOptions) {
    this.#options = options;
    this.#listener = createServer((socket) => void this.#accept(socket));
    this.#listener.maxConnections = options.maxConnections;
  }

  /** @returns the port that was opened; rejects with the system's error when it is taken */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#listener.once("error", reject);
      this.#listener.listen({ host, port }, () => {
        this.#listener.off("error", reject);
        const address = this.#listener.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  /** Takes no more connections, answers the calls under way, and cuts what is left after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#listener.close();
    const server = await this.#server;
    server?.drain(graceMs);
    await this.#untilClosed(graceMs);
    for (const socket of this.#open) socket.destroy();
    server?.close();
  }

  /** Resolves when the last connection has closed, or after `graceMs`. */
  #untilClosed(graceMs: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      for (const socket of this.#open) {
        socket.once("close", () => {
          if (this.#open.size > 0) return;
          clearTimeout(timer);
          resolve();
        });
      }
    });
  }

  async #accept(socket: Socket): Promise<void> {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    // Until the server takes it over, a broken connection is nobody's event.
    const ignore = () => {};
    socket.on("error", ignore);
    try {
      this.#server ??= this.#options.loadServer();
      const server = await this.#server;
      if (!socket.destroyed) server.serve(socket);
    } catch (cause) {
      this.#options.logger.error("gRPC cannot be served.", { cause });
      socket.destroy();
    }
  }
}
