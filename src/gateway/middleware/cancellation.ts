import type { Socket } from "node:net";
import type { Cancellation } from "../../core/ports/cancellation.ts";

/** Everybody who wants to know when one connection closes. */
type Listeners = Set<() => void>;

/**
 * Tells when the client's connection closes. A connection serves many requests, so it gets one listener for all of
 * them: adding and removing one per request would cost more than a cheap model.
 */
export class ConnectionWatch {
  readonly #listeners = new WeakMap<Socket, Listeners>();

  watch(socket: Socket): Cancellation {
    return new ConnectionCancellation(socket, this.#listenersOf(socket));
  }

  #listenersOf(socket: Socket): Listeners {
    const known = this.#listeners.get(socket);
    if (known !== undefined) return known;
    const listeners: Listeners = new Set();
    this.#listeners.set(socket, listeners);
    socket.once("close", () => {
      for (const listener of [...listeners]) listener();
    });
    return listeners;
  }
}

class ConnectionCancellation implements Cancellation {
  readonly #socket: Socket;
  readonly #listeners: Listeners;

  constructor(socket: Socket, listeners: Listeners) {
    this.#socket = socket;
    this.#listeners = listeners;
  }

  get cancelled(): boolean {
    return this.#socket.destroyed;
  }

  onCancel(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
