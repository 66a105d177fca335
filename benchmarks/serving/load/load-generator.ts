import { createClosedLoop } from "./closed-loop.ts";
import { LoadConnection } from "./load-connection.ts";
import type { LoadJob, LoadReport } from "./load-job.ts";
import { assertLoadJob } from "./load-job.ts";
import type { LoadLoop, LoadRequest } from "./load-loop.ts";
import { LoadRecorder } from "./load-recorder.ts";
import { createOpenLoop } from "./open-loop.ts";

/** How often timeouts are looked for; a timer for every request would cost more than the request. */
const SWEEP_MS = 50;
/** Pause before a connection is opened again. */
const REOPEN_MS = 50;
/** The job is given up when, per connection, so many requests in a row got no answer. */
const MAX_FAULTS_PER_CONNECTION = 10;

/** What to send, and what the answers must be. */
export interface LoadBodies {
  /** JSON bodies; at least one. */
  readonly bodies: readonly string[];
  /** For each body what `toAnswerMark` makes of its right answer; without them answers are not looked at. */
  readonly marks?: readonly string[];
}

/**
 * Loads a server and reports what it did. Ends by itself: `durationMs` of load, then at most `timeoutMs` for what is
 * still on its way.
 *
 * @throws RangeError for a job that is not allowed, Error when the server cannot be reached at all
 */
export async function runLoad({ bodies, marks }: LoadBodies, job: LoadJob): Promise<LoadReport> {
  assertLoadJob(job);
  if (bodies.length === 0) throw new RangeError("bodies: at least one is needed");
  return await new LoadRun(
    bodies.map((body, i) => ({ bytes: toRequest(body, job), expectedMark: marks?.[i] })),
    job,
  ).run();
}

/** Requests are made ready beforehand: the generator only writes bytes. */
function toRequest(body: string, { host, port, path }: LoadJob): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

class LoadRun {
  readonly #job: LoadJob;
  readonly #keepBodies: boolean;
  readonly #connections: readonly LoadConnection[];
  readonly #loop: LoadLoop;
  #recorder: LoadRecorder;
  #faultsInARow = 0;
  #ended = false;

  constructor(requests: readonly LoadRequest[], job: LoadJob) {
    this.#job = job;
    this.#keepBodies = requests.some(({ expectedMark }) => expectedMark !== undefined);
    this.#connections = Array.from({ length: job.connections }, (_, index) => this.#connect(index));
    const options = { requests, connections: this.#connections, seed: job.seed };
    this.#loop =
      job.mode.kind === "closed" ? createClosedLoop(options) : createOpenLoop(options, job.mode);
    this.#recorder = new LoadRecorder(0, job);
  }

  async run(): Promise<LoadReport> {
    const { durationMs } = this.#job;
    await Promise.all(this.#connections.map((connection) => connection.open()));
    const startMs = performance.now();
    const startedCpu = process.cpuUsage();
    this.#recorder = new LoadRecorder(startMs, this.#job);
    this.#loop.start();
    await this.#waitUntil(startMs + durationMs, () => this.#gaveUp);
    this.#loop.stop();
    const cpu = process.cpuUsage(startedCpu);
    await this.#waitUntil(performance.now() + this.#job.timeoutMs, () => this.#isQuiet);
    this.#ended = true;
    for (const connection of this.#connections) connection.close();
    return this.#recorder.report({
      sent: this.#loop.sent,
      missed: this.#loop.missed,
      aborted: this.#gaveUp,
      generatorCpuSeconds: (cpu.user + cpu.system) / 1e6,
    });
  }

  get #gaveUp(): boolean {
    return this.#faultsInARow >= MAX_FAULTS_PER_CONNECTION * this.#job.connections;
  }

  get #isQuiet(): boolean {
    return this.#connections.every(({ busy }) => !busy);
  }

  #connect(index: number): LoadConnection {
    return new LoadConnection(index, {
      host: this.#job.host,
      port: this.#job.port,
      keepBodies: this.#keepBodies,
      onAnswer: (connection, answer) => {
        this.#faultsInARow = 0;
        this.#recorder.recordAnswer(answer);
        this.#loop.onFree(connection);
      },
      onFault: (connection, fault) => {
        this.#faultsInARow++;
        this.#recorder.recordError(fault);
        this.#reopenLater(connection);
      },
      onIdleEnd: (connection) => this.#reopenLater(connection),
    });
  }

  #reopenLater(connection: LoadConnection): void {
    setTimeout(() => {
      if (this.#ended) return;
      connection.open().then(
        () => this.#loop.onFree(connection),
        () => {
          this.#faultsInARow++;
          this.#recorder.recordError("connect");
          if (!this.#gaveUp) this.#reopenLater(connection);
        },
      );
    }, REOPEN_MS);
  }

  /** Looks for timeouts all the while. */
  async #waitUntil(deadlineMs: number, isDone: () => boolean): Promise<void> {
    for (;;) {
      const nowMs = performance.now();
      for (const connection of this.#connections) connection.expire(nowMs, this.#job.timeoutMs);
      if (nowMs >= deadlineMs || isDone()) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(SWEEP_MS, deadlineMs - nowMs)));
    }
  }
}
