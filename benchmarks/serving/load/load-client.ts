import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LoadJob, LoadReport } from "./load-job.ts";
import type { LoadAnswer, LoadCommand } from "./load-process.ts";

/** The generator process, as the benchmarks use it. One call at a time. */
export interface LoadClient {
  /** Makes bodies known under a name, and what their answers must be: see `LoadBodies`. */
  sendBodies(name: string, bodies: readonly string[], marks?: readonly string[]): Promise<void>;
  /** @throws Error when the job is not allowed or the server cannot be reached */
  run(bodies: string, job: LoadJob): Promise<LoadReport>;
  close(): Promise<void>;
}

/** What jobs of these benchmarks have in common. */
export const JOB_DEFAULTS = {
  path: "/classify",
  timeoutMs: 10_000,
  sloMs: 100,
  seed: 1,
  readServerTiming: false,
  mode: { kind: "closed" },
} as const satisfies Partial<LoadJob>;

export function startLoadClient(): LoadClient {
  const child = fork(fileURLToPath(new URL("load-process.ts", import.meta.url)));
  const exited = once(child, "exit");

  const ask = async (command: LoadCommand): Promise<LoadReport | undefined> => {
    const answered = once(child, "message");
    child.send(command);
    const gone = exited.then(() => {
      throw new Error("The load generator ended unexpectedly.");
    });
    const [answer] = (await Promise.race([answered, gone])) as [LoadAnswer];
    if (!answer.ok) throw new Error(`Load generator: ${answer.message}`);
    return answer.report;
  };

  return {
    sendBodies: async (name, bodies, marks) => {
      await ask({ kind: "bodies", name, bodies, ...(marks === undefined ? {} : { marks }) });
    },
    run: async (bodies, job) => {
      const report = await ask({ kind: "job", bodies, job });
      if (report === undefined) throw new Error("Load generator: a job without a report.");
      return report;
    },
    close: async () => {
      if (child.exitCode === null) child.disconnect();
      await exited;
    },
  };
}
