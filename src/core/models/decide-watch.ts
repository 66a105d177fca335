import type { VersionState } from "./version-state.ts";

/** What is remembered of a package from one look at its source to the next. */
export interface WatchedPackage {
  /** Of its files at the last look. */
  readonly fingerprint: string;
  /** Of its files when it was last loaded, well or not; undefined = never. */
  readonly triedFingerprint: string | undefined;
  /** When a package that failed is tried again though its files are the same, milliseconds; undefined = never. */
  readonly retryAtMs: number | undefined;
  /** It was not there at the last look. */
  readonly isGone: boolean;
}

/**
 * What is done about a package now. `wait`: its files may be on their way still · `load` · `warn`: it serves, and its files are
 * not those that it serves any more · `nothing`.
 */
export type WatchMove = "wait" | "load" | "warn" | "nothing";

/**
 * Decides about a package that is there. Files that are being copied look different from one look to the next, and are left
 * alone until they do not. A package that failed is tried again when its files have changed; one that somebody unloaded is not.
 * Pure.
 *
 * @param before what was remembered; undefined at first sight @param state of the version; undefined when it is not known
 */
export function decideWatch(
  fingerprint: string,
  before: WatchedPackage | undefined,
  state: VersionState | undefined,
  nowMs: number,
): WatchMove {
  const isSettled = before !== undefined && before.fingerprint === fingerprint && !before.isGone;
  switch (state) {
    case undefined:
      return isSettled ? "load" : "wait";
    case "failed": {
      if (!isSettled) return "wait";
      const { triedFingerprint, retryAtMs } = before;
      const isDue = retryAtMs !== undefined && nowMs >= retryAtMs;
      return triedFingerprint !== fingerprint || isDue ? "load" : "nothing";
    }
    case "unloaded":
      if (before === undefined) return "nothing";
      if (before.isGone) return "wait";
      // Somebody put it back; what was unloaded at somebody's request has been tried with these files.
      return isSettled && before.triedFingerprint === undefined ? "load" : "nothing";
    case "ready":
      return isSettled &&
        before.triedFingerprint !== undefined &&
        before.triedFingerprint !== fingerprint
        ? "warn"
        : "nothing";
    default:
      return "nothing";
  }
}

/** What is remembered after a look. @param tried whether the package was loaded, or warned about, in it */
export function rememberLook(
  fingerprint: string,
  before: WatchedPackage | undefined,
  tried: { readonly isTried: boolean; readonly retryAtMs: number | undefined },
): WatchedPackage {
  const isBack = before?.isGone === true;
  return {
    fingerprint,
    triedFingerprint: tried.isTried ? fingerprint : isBack ? undefined : before?.triedFingerprint,
    retryAtMs: tried.isTried ? tried.retryAtMs : before?.retryAtMs,
    isGone: false,
  };
}
