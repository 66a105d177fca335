import { SluiceError } from "../../../core/errors.ts";

/** What to do, by SQLSTATE (PostgreSQL documentation, appendix A) or by the system's code. */
const FIXES: Readonly<Record<string, string>> = {
  "28P01": "the password is wrong; correct it",
  "28000": "this user may not connect; name another, or allow it in the server's pg_hba.conf",
  "3D000": "there is no such database; create it with createdb",
  "42501": "this user lacks a right; grant it the right to create tables in its schema",
  "53100": "the server's disk is full; make room",
  "53300":
    "the server has no connection left; lower records.store.maxConnections or raise its max_connections",
  "57014":
    "a statement took longer than records.store.statementTimeoutMs; raise it, or see what holds the server up",
  "25006": "the server only reads; name the primary one",
  ECONNREFUSED: "nothing listens at its address; start the server, or correct the address",
  ENOTFOUND: "there is no host of its name; correct the name",
  EHOSTUNREACH: "its host cannot be reached; check the network, or correct the address",
  ETIMEDOUT: "its host does not answer; check the network, or correct the address",
};

/** Classes of SQLSTATE that pass: connection lost, resources, operator intervention, system errors. */
const PASSING_CLASSES = ["08", "53", "57", "58"];
/** Messages of the client itself, which have no code. */
const CLIENT_FAULT =
  /timeout|terminated|connection error|not queryable|ended|ECONNRESET|EPIPE|Cannot use a pool/i;

/** The error that callers see for what the server or the connection to it said. */
export function describeFault(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = codeOf(thrown);
  const fix = FIXES[code];
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const isPassing =
    PASSING_CLASSES.some((start) => code.length === 5 && code.startsWith(start)) ||
    CLIENT_FAULT.test(message) ||
    CLIENT_FAULT.test(code);
  if (fix !== undefined || isPassing) {
    const reason =
      fix ?? "the connection to the server was lost or could not be made; check that it runs";
    return new SluiceError(
      "unavailable",
      `The record database (records.store.url) cannot be used: ${reason}.`,
      {
        cause: thrown,
      },
    );
  }
  return new SluiceError("internal", "A statement to the record database failed.", {
    cause: thrown,
  });
}

/** Another transaction was in the way: serialization failure, or deadlock. */
export function isCollision(thrown: unknown): boolean {
  const code = codeOf(thrown instanceof SluiceError ? thrown.cause : thrown);
  return code === "40001" || code === "40P01";
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return codeOf(thrown.errors[0]);
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return "";
  return String(thrown.code);
}
