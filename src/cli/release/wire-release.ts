/** A release as the server describes it; what the commands need of it. */
export interface WireRelease {
  readonly id: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  readonly phase: string;
  readonly step: number;
  readonly steps: number;
  readonly weight: number;
  readonly started_at: string;
  readonly reason: string | null;
}

/** One release in one line. */
export function toLine(release: WireRelease): string {
  const { id, model, stable, candidate, phase, step, steps, weight, reason } = release;
  const why = reason === null ? "" : `  ${reason}`;
  return `${id}  ${model} ${stable} → ${candidate}  ${phase}  step ${step}/${steps}  ${weight} %${why}\n`;
}
