import type { StoredRelease } from "../ports/release-store.ts";
import type { GateCount } from "./observation.ts";

/** What is known of one version beside what replicas see of it. */
export interface VersionEvidence {
  /** Sets of labelled texts that it was asked; without those that could not be. */
  readonly gates: readonly GateCount[];
  /** What people said about its answers since the window began. */
  readonly feedback: { readonly right: number; readonly wrong: number };
}

/** What is known of a release beside what replicas see. */
export interface ExtraEvidence {
  readonly stable: VersionEvidence;
  readonly candidate: VersionEvidence;
  /** Answers to the plan's queries by the name of the metric; null = no number. */
  readonly queries: ReadonlyMap<string, number | null>;
}

/** Where evidence comes from that is not seen on the request path. Never rejects: what cannot be had is missing. */
export interface EvidenceSources {
  /** Everything that the plan's metrics want; asks versions, stores and servers, which may take a while. */
  gather(release: StoredRelease): Promise<ExtraEvidence>;
  /** Whether texts are stored that can be replayed. */
  canReplay(release: StoredRelease): Promise<boolean>;
  /** Asks both versions up to `maxTexts` stored texts; when it is done, what they answered is among the observations. */
  replay(release: StoredRelease, maxTexts: number): Promise<void>;
}

export const NO_EVIDENCE: ExtraEvidence = {
  stable: { gates: [], feedback: { right: 0, wrong: 0 } },
  candidate: { gates: [], feedback: { right: 0, wrong: 0 } },
  queries: new Map(),
};
