import type { Cancellation } from "../../src/core/ports/cancellation.ts";

/** A caller that a test can make go away. */
export class CancelSource implements Cancellation {
  cancelled = false;
  readonly #listeners = new Set<() => void>();

  onCancel(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Listeners still subscribed: zero once the work is answered, or something leaks. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  cancel(): void {
    this.cancelled = true;
    for (const listener of [...this.#listeners]) listener();
  }
}
