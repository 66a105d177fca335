import type { VersionState } from "../../core/models/version-state.ts";

/** Where a version stands, in TensorFlow Serving's words. */
export type TensorFlowState = "START" | "LOADING" | "AVAILABLE" | "UNLOADING" | "END";

const STATES = {
  discovered: "START",
  fetching: "LOADING",
  verifying: "LOADING",
  loading: "LOADING",
  warming: "LOADING",
  ready: "AVAILABLE",
  draining: "UNLOADING",
  unloaded: "END",
  failed: "END",
} as const satisfies Record<VersionState, TensorFlowState>;

/** The same in this dialect's words. */
export function toTensorFlowState(state: VersionState): TensorFlowState {
  return STATES[state];
}

/** One version of a model. */
export interface ListedVersion {
  /** As the dialect numbers it, or as it is where that has no number. */
  readonly version: string;
  readonly state: VersionState;
  /** Why it failed. */
  readonly reason: string | undefined;
}

/** The member `model_version_status` of the answer of `GET /v1/models/<model>`, newest first. */
export function toVersionStatuses(versions: readonly ListedVersion[]) {
  return versions.toReversed().map(({ version, state, reason }) => ({
    version,
    state: toTensorFlowState(state),
    status: {
      error_code: reason === undefined ? "OK" : "UNAVAILABLE",
      error_message: reason ?? "",
    },
  }));
}
