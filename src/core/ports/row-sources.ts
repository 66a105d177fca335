import type { Cancellation } from "./cancellation.ts";

/** Addresses from which the rows of a job may be fetched. Errors name the caller's field, `source.url`. */
export interface RowSources {
  /**
   * Checks an address before anything is asked of it. Its name is not resolved yet: `open` does, and checks what comes out.
   *
   * @throws SluiceError `invalid_argument` when it is none, `permission_denied` when nothing may be fetched from there
   */
  assertAllowed(url: string): void;
  /**
   * Asks for what is at an address; resolves once its first byte may be read. Fetching ends when the caller goes away.
   *
   * @throws SluiceError as `assertAllowed`; `invalid_argument` or `unavailable` when the answer is another than 200;
   * `unavailable` without any answer; `cancelled`
   */
  open(url: string, cancellation: Cancellation): Promise<OpenedSource>;
}

/** What was found at an address, on its way here. */
export interface OpenedSource {
  /** Media type in lower case, without parameters; undefined when the answer names none. */
  readonly contentType: string | undefined;
  /**
   * The bytes as they are once `Content-Encoding` is undone. Read once. Throws a SluiceError when they are too many, do not
   * come whole or in time, or the caller goes away.
   */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Lets go of the connection. To be called in any case, also when nothing or all of it was read. Idempotent. */
  close(): void;
}
