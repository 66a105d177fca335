import type { LoadConnection } from "./load-connection.ts";

/** Decides which request goes out when. The generator owns connections and counting; a loop owns the order. */
export interface LoadLoop {
  /** Called once, when all connections are open. */
  start(): void;
  /** The connection has nothing to do: it was answered, or it has just been opened again. */
  onFree(connection: LoadConnection): void;
  /** Sends nothing more from now on. */
  stop(): void;
  readonly sent: number;
  /** Requests that were due and never sent. */
  readonly missed: number;
}

/** One request, ready to be written. */
export interface LoadRequest {
  readonly bytes: Buffer;
  /** What `toAnswerMark` makes of the right answer; undefined: any answer will do. */
  readonly expectedMark: string | undefined;
}

/** What loops work with. */
export interface LoadLoopOptions {
  /** At least one. */
  readonly requests: readonly LoadRequest[];
  readonly connections: readonly LoadConnection[];
  readonly seed: number;
}
