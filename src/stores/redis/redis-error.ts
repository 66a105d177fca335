import { SluiceError } from "../../core/errors.ts";
import { TooSlowError } from "./circuit.ts";

/**
 * First words of what Redis answers (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors) and what
 * mends it. `isFinal`: no waiting does.
 */
const ANSWERS: readonly {
  readonly match: RegExp;
  readonly fix: string;
  readonly isFinal: boolean;
}[] = [
  {
    match: /^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH)/,
    fix: "refuses the user or password; correct them",
    isFinal: true,
  },
  { match: /^NOPERM/, fix: "does not let this user do that; grant the commands", isFinal: true },
  {
    match: /DB index is out of range/,
    fix: "has no database of that number; name another",
    isFinal: true,
  },
  {
    match: /^OOM/,
    fix: "is full; raise its maxmemory, or set its maxmemory-policy to allkeys-lru",
    isFinal: false,
  },
  {
    match: /^MISCONF/,
    fix: "cannot write to its disk; free some, or look into its log",
    isFinal: false,
  },
  {
    match: /^READONLY/,
    fix: "is a replica that takes no writes; name its primary",
    isFinal: false,
  },
  { match: /^LOADING/, fix: "is still reading its data", isFinal: false },
];

/** Whether a server refused for good. */
export function isRefusal(thrown: unknown): boolean {
  if (thrown instanceof SluiceError) return true;
  return findAnswer(thrown)?.isFinal ?? false;
}

/** What a failure of Redis means for whoever reads of it. Keys, addresses and passwords are in no message. */
export function toRedisError(thrown: unknown, setting: string): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const slow = thrown instanceof TooSlowError ? `gives ${thrown.message}` : undefined;
  const fix =
    findAnswer(thrown)?.fix ??
    slow ??
    `cannot be reached; start it, or set ${setting} to its address`;
  return new SluiceError("unavailable", `The Redis server of ${setting} ${fix}.`, {
    cause: thrown,
  });
}

export function tooOld(version: string, setting: string, oldest: number): SluiceError {
  const message = `The Redis server of ${setting} has version ${version}; it needs ${oldest} or newer.`;
  return new SluiceError("unavailable", message);
}

function findAnswer(thrown: unknown) {
  const message = thrown instanceof Error ? thrown.message : "";
  return ANSWERS.find(({ match }) => match.test(message));
}
