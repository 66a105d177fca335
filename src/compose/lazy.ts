/** Something that is opened when it is first needed, and again after an attempt that failed. */
export class Lazy<Opened extends { close(): Promise<void> }> {
  readonly #open: () => Promise<Opened>;
  #opening: Promise<Opened> | undefined;
  #isClosed = false;

  constructor(open: () => Promise<Opened>) {
    this.#open = open;
  }

  /** What was opened, or is being opened; rejects as the attempt does. */
  get(): Promise<Opened> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#open();
    this.#opening = opening;
    opening.catch(() => {
      this.#opening = undefined;
    });
    return opening;
  }

  /** Closes what was opened. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.close();
  }
}
