import { SluiceError } from "../../../core/errors.ts";

/** What goes wrong while packages are fetched, in words for who runs the server. */

/** Something that may be over soon: it is worth another try. */
export class PassingFault extends SluiceError {
  /** When the other side wants to be asked again, in milliseconds from now; undefined = it did not say. */
  readonly waitMs: number | undefined;

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly waitMs?: number } = {},
  ) {
    super("unavailable", message, { cause: options.cause });
    this.waitMs = options.waitMs;
  }
}

/** Something that will be as wrong the next time. */
export function createLastingFault(message: string, cause?: unknown): SluiceError {
  return new SluiceError("invalid_argument", message, { cause });
}

/** Statuses that say something about now rather than about the request. */
const PASSING: ReadonlySet<number> = new Set([408, 412, 416, 425, 429]);
/** Longest wait that another server may ask for. */
const MAX_WAIT_MS = 60_000;

/**
 * The error for an answer without the bytes that were asked for.
 *
 * @param what was asked for, to begin the sentence with @param said what the answer itself says of its reason, if anything
 */
export function describeStatus(
  what: string,
  status: number,
  said: string | undefined,
  retryAfter?: string,
): SluiceError {
  const reason = said === undefined ? "" : ` (${said})`;
  const message = `${what} was answered with the status ${status}${reason}${adviceFor(status)}.`;
  if (status < 500 && !PASSING.has(status)) return createLastingFault(message);
  const waitMs = Number(retryAfter) * 1000;
  if (!(waitMs >= 0)) return new PassingFault(message);
  return new PassingFault(message, { waitMs: Math.min(waitMs, MAX_WAIT_MS) });
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return "; check its credentials and what they may read";
  return status === 404 ? "; check that it is there" : "";
}

/** Codes of the system that speak of the disk, not of the network. */
const DISK: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk's quota is used up",
  EROFS: "the file system can only be read",
  EACCES: "the server may not write there",
  EPERM: "the server may not write there",
};

/** @param what was being fetched @param broken what to say of a connection that failed */
export function describeTransferFault(what: string, broken: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = codeOf(thrown);
  const disk = DISK[code];
  if (disk !== undefined) {
    const message = `${what} cannot be stored, because ${disk} (${code}, models.fetching.directory).`;
    return new SluiceError("unavailable", message, { cause: thrown });
  }
  const reason = code === "" ? "" : ` (${code})`;
  return new PassingFault(`${what} ${broken}${reason}.`, { cause: thrown });
}

export function codeOf(thrown: unknown): string {
  const isNamed = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string";
  return isNamed ? String(thrown.code) : "";
}
