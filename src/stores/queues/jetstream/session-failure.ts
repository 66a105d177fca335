import { SluiceError } from "../../../core/errors.ts";

/** The connection went away while something was under way. */
export class LinkLostError extends Error {
  constructor() {
    super("the connection was lost");
    this.name = "LinkLostError";
  }
}

/** Codes of JetStream's API for what passes: no leader or not ready yet; a consumer or stream that is missing is made again. */
const PASSING_CODES = new Set([10_008, 10_009, 10_014, 10_059]);
/** While a server starts, nobody answers for its streams, which looks as if it had no JetStream. */
const PASSING_NAMES = new Set([
  "LinkLostError",
  "NoResponders",
  "JetStreamNotEnabled",
  "ClosedConnectionError",
  "RequestError",
]);

/** Whether the same may succeed in a moment, on a server that should have JetStream. */
export function isPassing(thrown: unknown): boolean {
  if (thrown instanceof SluiceError || !(thrown instanceof Error)) return false;
  const code = toApiCode(thrown);
  return code === undefined ? PASSING_NAMES.has(toName(thrown)) : PASSING_CODES.has(code);
}

/** The code that JetStream's API gave its error; undefined for other errors. */
export function toApiCode(thrown: unknown): number | undefined {
  const hasCode = thrown instanceof Error && "code" in thrown && typeof thrown.code === "number";
  return hasCode ? (thrown.code as number) : undefined;
}

/** What callers are told: `unavailable`, with the way out. */
export function toUnavailable(
  thrown: unknown,
  { where, setting }: { readonly where: string; readonly setting: string },
): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const message = `The server of NATS, ${where}, ${explain(thrown)} (${setting}).`;
  return new SluiceError("unavailable", message, { cause: thrown });
}

/** What went wrong; the client wraps the errors of requests. */
function toName(thrown: Error): string {
  const isWrapper = thrown.name === "RequestError" && thrown.cause instanceof Error;
  return isWrapper ? toName(thrown.cause as Error) : thrown.name;
}

/** JetStream's codes for a store that is full: of the server, of the account, or of the stream. */
const FULL_CODES = new Set([10_023, 10_028, 10_047, 10_077]);
/** JetStream's code for an account that may not use it. */
const NOT_FOR_ACCOUNT = 10_039;

function explain(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "failed";
  const name = toName(thrown);
  if (name === "JetStreamNotEnabled" || toApiCode(thrown) === NOT_FOR_ACCOUNT) {
    return "does not answer for JetStream; start it with JetStream (-js), and allow it to the account";
  }
  if (name === "PermissionViolationError") {
    return "does not let the user do this; allow it the subjects of the queue, $JS.API.>, $JS.ACK.> and _INBOX.>";
  }
  const code = toApiCode(thrown);
  if (code !== undefined && FULL_CODES.has(code)) {
    return "has no room left for the queue; free some on its disk, or raise max_file_store";
  }
  if (code !== undefined) return `refused with JetStream's error ${code}, "${thrown.message}"`;
  return "cannot be reached; start it, or set the right address";
}
