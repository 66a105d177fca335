import { SluiceError } from "../errors.ts";
import type { Job, JobState } from "./job.ts";

/** Every legal step of a job. A finished job runs again only when its failed rows are asked for again. */
export const JOB_STEPS = {
  receiving: ["queued"],
  queued: ["running", "failed", "cancelled"],
  running: ["completed", "failed", "cancelled"],
  completed: ["queued"],
  failed: [],
  cancelled: [],
} as const satisfies Record<JobState, readonly JobState[]>;

/** Whether a job has ended: nothing happens to it until somebody asks. */
export function isFinished(state: JobState): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}

/** The states from which a job may become `to`. */
export function listStatesBefore(to: JobState): readonly JobState[] {
  const states = Object.keys(JOB_STEPS) as JobState[];
  return states.filter((from) => (JOB_STEPS[from] as readonly JobState[]).includes(to));
}

/** @returns the error for a caller who asks of a job what its state does not allow; says what would */
export function describeConflict({ id, state }: Job, wish: string, fix: string): SluiceError {
  return new SluiceError("conflict", `The job ${id} is ${state} and cannot be ${wish}; ${fix}.`);
}
