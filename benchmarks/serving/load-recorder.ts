import { LatencyHistogram } from "./latency-histogram.ts";
import type { TimedResponse } from "./load-connection.ts";
import type { LoadErrors, LoadReport } from "./load-job.ts";
import { parseServerTiming } from "./server-timing.ts";

/** What only the loop itself knows. */
export type LoopCounts = Pick<LoadReport, "sent" | "missed" | "aborted" | "generatorCpuSeconds">;

/** Counts answers and errors of one job. */
export class LoadRecorder {
  readonly #startMs: number;
  readonly #durationMs: number;
  readonly #readServerTiming: boolean;
  readonly #statuses = new Map<number, number>();
  readonly #accepted = new LatencyHistogram();
  readonly #rejected = new LatencyHistogram();
  readonly #acceptedFromWrite = new LatencyHistogram();
  readonly #rejectedFromWrite = new LatencyHistogram();
  readonly #stages = new Map<string, LatencyHistogram>();
  readonly #errors: LoadErrors = { connect: 0, reset: 0, timeout: 0, malformed: 0 };
  #inTime = 0;
  #acceptedInTime = 0;

  constructor(startMs: number, durationMs: number, readServerTiming: boolean) {
    this.#startMs = startMs;
    this.#durationMs = durationMs;
    this.#readServerTiming = readServerTiming;
  }

  recordAnswer({ response, dueMs, writtenMs, answeredMs }: TimedResponse): void {
    const { status } = response;
    const accepted = status < 300;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (answeredMs <= this.#startMs + this.#durationMs) {
      this.#inTime++;
      if (accepted) this.#acceptedInTime++;
    }
    if (accepted) {
      this.#accepted.record(answeredMs - dueMs);
      this.#acceptedFromWrite.record(answeredMs - writtenMs);
      if (this.#readServerTiming) this.#recordStages(response.head);
    } else if (status === 429) {
      this.#rejected.record(answeredMs - dueMs);
      this.#rejectedFromWrite.record(answeredMs - writtenMs);
    }
  }

  recordError(kind: keyof LoadErrors): void {
    this.#errors[kind]++;
  }

  report(counts: LoopCounts): LoadReport {
    const seconds = this.#durationMs / 1000;
    return {
      durationMs: this.#durationMs,
      requestsPerSecond: this.#inTime / seconds,
      acceptedPerSecond: this.#acceptedInTime / seconds,
      sentPerSecond: counts.sent / seconds,
      ...counts,
      statuses: Object.fromEntries(this.#statuses),
      accepted: this.#accepted.summarize(),
      rejected: this.#rejected.summarize(),
      acceptedFromWrite: this.#acceptedFromWrite.summarize(),
      rejectedFromWrite: this.#rejectedFromWrite.summarize(),
      errors: this.#errors,
      stages: Object.fromEntries(
        [...this.#stages].map(([name, histogram]) => [name, histogram.summarize()]),
      ),
    };
  }

  #recordStages(head: string): void {
    const durations = parseServerTiming(head);
    for (const [name, durationMs] of durations) this.#stage(name).record(durationMs);
    const total = durations.get("total");
    if (total === undefined) return;
    this.#stage("gateway").record(total - (durations.get("infer") ?? 0));
  }

  #stage(name: string): LatencyHistogram {
    const known = this.#stages.get(name);
    if (known !== undefined) return known;
    const histogram = new LatencyHistogram();
    this.#stages.set(name, histogram);
    return histogram;
  }
}
