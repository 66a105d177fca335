import type { Socket } from "node:net";
import type { Cancellation } from "../../core/ports/cancellation.ts";

/**
 * Tells when the client's connection closes. A connection serves many requests, so it gets one listener for all of
 * them: adding and removing one per request would cost more than a cheap model.
 */
export class ConnectionWatch {
  readonly #listeners = new WeakMap<Socket, Set<() => void>>();

  watch(socket: Socket): Cancellation {
    return {
      get cancelled() {
        return socket.destroyed;
      },
      onCancel: (listener) => {
        const listeners = this.#listenersOf(socket);
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  }

  #listenersOf(socket: Socket): Set<() => void> {
    const known = this.#listeners.get(socket);
    if (known !== undefined) return known;
    const listeners = new Set<() => void>();
    this.#listeners.set(socket, listeners);
    socket.once("close", () => {
      for (const listener of [...listeners]) listener();
    });
    return listeners;
  }
}
