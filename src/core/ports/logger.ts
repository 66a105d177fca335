/** Facts that go with a line of the log. Never texts, keys or other content of requests. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured logging. `error`: something broke that a person must look at (none in a healthy system); `warn`: worth
 * a look when it repeats; `info`: life-cycle events; `debug`: off in production.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
