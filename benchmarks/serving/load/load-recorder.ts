import { toAnswerMark } from "./answer-mark.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import type { TimedResponse } from "./load-connection.ts";
import type { LoadErrors, LoadJob, LoadReport } from "./load-job.ts";
import { parseServerTiming } from "./server-timing.ts";

/** What only the loop itself knows. */
export type LoopCounts = Pick<LoadReport, "sent" | "missed" | "aborted" | "generatorCpuSeconds">;

/** What a recorder must know of its job. */
export type RecordedJob = Pick<LoadJob, "durationMs" | "sloMs" | "readServerTiming">;

/** Counts answers and errors of one job. */
export class LoadRecorder {
  readonly #startMs: number;
  readonly #job: RecordedJob;
  readonly #statuses = new Map<number, number>();
  readonly #accepted = new LatencyHistogram();
  readonly #rejected = new LatencyHistogram();
  readonly #acceptedFromWrite = new LatencyHistogram();
  readonly #rejectedFromWrite = new LatencyHistogram();
  readonly #stages = new Map<string, LatencyHistogram>();
  readonly #errors: LoadErrors = { connect: 0, reset: 0, timeout: 0, malformed: 0 };
  #wrong = 0;
  #inTime = 0;
  #acceptedInTime = 0;
  #goodInTime = 0;

  constructor(startMs: number, job: RecordedJob) {
    this.#startMs = startMs;
    this.#job = job;
  }

  recordAnswer({ request, response, dueMs, writtenMs, answeredMs }: TimedResponse): void {
    const { status } = response;
    const { durationMs, sloMs, readServerTiming } = this.#job;
    const accepted = status < 300;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (answeredMs <= this.#startMs + durationMs) {
      this.#inTime++;
      if (accepted) this.#acceptedInTime++;
      if (accepted && answeredMs - dueMs <= sloMs) this.#goodInTime++;
    }
    if (accepted) {
      const { expectedMark } = request;
      if (expectedMark !== undefined && toAnswerMark(response.body) !== expectedMark) this.#wrong++;
      this.#accepted.record(answeredMs - dueMs);
      this.#acceptedFromWrite.record(answeredMs - writtenMs);
      if (readServerTiming) this.#recordStages(response.head);
    } else if (status === 429) {
      this.#rejected.record(answeredMs - dueMs);
      this.#rejectedFromWrite.record(answeredMs - writtenMs);
    }
  }

  recordError(kind: keyof LoadErrors): void {
    this.#errors[kind]++;
  }

  report(counts: LoopCounts): LoadReport {
    const { durationMs } = this.#job;
    const seconds = durationMs / 1000;
    return {
      durationMs,
      requestsPerSecond: this.#inTime / seconds,
      acceptedPerSecond: this.#acceptedInTime / seconds,
      goodPerSecond: this.#goodInTime / seconds,
      sentPerSecond: counts.sent / seconds,
      ...counts,
      wrongAnswers: this.#wrong,
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
