/**
 * How much a case weighs. `required`: the protocol says so, or every client breaks without it. `recommended`: what a
 * careful server does, and what its clients hope for. `extension`: a part that a server may leave out altogether.
 */
export const LEVELS = ["required", "recommended", "extension"] as const;

export type Level = (typeof LEVELS)[number];

/** What came of one case. */
export type Verdict =
  /** `note` says what is worth knowing, such as which of several allowed readings the server follows. */
  | { readonly outcome: "pass"; readonly note?: string }
  | { readonly outcome: "fail"; readonly expected: string; readonly found: string }
  /** The server says clearly that it does not have this part. */
  | { readonly outcome: "unsupported"; readonly note: string }
  /** The case has nothing to say about this server or this model. */
  | { readonly outcome: "skipped"; readonly reason: string };

/** One promise of a protocol, and how to see from outside whether a server keeps it. */
export interface ConformanceCase<Server> {
  /** Lower-case words with hyphens, in groups parted by `/`: `infer/flat-data`. Unique within the protocol. */
  readonly id: string;
  /** The promise as a sentence. */
  readonly title: string;
  /** Where the promise is made: a specification, a reference server, a client. */
  readonly source: string;
  readonly level: Level;
  /** Asks the server. What it throws becomes a failure: no answer is an answer too. */
  readonly run: (server: Server) => Promise<Verdict>;
}

/** The promise is kept. */
export function pass(note?: string): Verdict {
  return note === undefined ? { outcome: "pass" } : { outcome: "pass", note };
}

/** The promise is broken. */
export function fail(expected: string, found: string): Verdict {
  return { outcome: "fail", expected, found };
}

/** The server does not have this part and says so. */
export function unsupported(note: string): Verdict {
  return { outcome: "unsupported", note };
}

/** Nothing was asked. */
export function skipped(reason: string): Verdict {
  return { outcome: "skipped", reason };
}
