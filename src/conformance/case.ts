import type { HttpProbe } from "./http-probe.ts";

/**
 * `required`: the protocol's own text demands it. `recommended`: clients in use rely on it, or the text says "should".
 * `extension`: an addition that a server may have, and says so or answers that it has not.
 */
export const LEVELS = ["required", "recommended", "extension"] as const;
export type Level = (typeof LEVELS)[number];

/** How a server did in one case. */
export type Verdict =
  /** `note`: which of several readings of the protocol it follows. */
  | { readonly outcome: "pass"; readonly note?: string | undefined }
  | { readonly outcome: "fail"; readonly expected: string; readonly found: string }
  /** It says that it has no such thing. */
  | { readonly outcome: "unsupported"; readonly note: string }
  /** It could not be tried. */
  | { readonly outcome: "skipped"; readonly note: string };

/** The server that is tried: how to reach it, and what it was found to have. */
export interface Subject {
  readonly http: HttpProbe;
  readonly model: string;
  readonly version: string | undefined;
}

/** One thing to try. */
export interface ConformanceCase<Target extends Subject> {
  /** Stable, for `--only` and for machines: `v2.infer.id`. */
  readonly id: string;
  readonly title: string;
  /** Which document asks for it. */
  readonly source: string;
  readonly level: Level;
  run(target: Target): Promise<Verdict> | Verdict;
}

export const pass = (note?: string): Verdict => ({ outcome: "pass", note });
export const fail = (expected: string, found: string): Verdict => ({
  outcome: "fail",
  expected,
  found,
});
export const unsupported = (note: string): Verdict => ({ outcome: "unsupported", note });
export const skipped = (note: string): Verdict => ({ outcome: "skipped", note });
