import { request } from "node:http";
import { toBody } from "../corpus/corpus.ts";
import { SEEDED_MODEL } from "../models/build-seeded-packages.ts";
import { median } from "../report/median.ts";
import { readProcessUsage } from "../servers/process-usage.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { startSluice } from "../servers/server-process.ts";
import type { BenchContext } from "./bench-context.ts";
import { NO_CACHE } from "./bench-context.ts";

/** From starting a process to its first answer. */
export interface ColdStart {
  /** Median of the starts. */
  readonly firstAnswerMs: number;
  readonly starts: readonly number[];
  /** Right after the first answer; median. */
  readonly residentMib: number | undefined;
}

/** Starts a server with the INT8 model several times; files are in the page cache after the first, which is left out. */
export async function measureColdStart(context: BenchContext): Promise<ColdStart> {
  const { modelsDirectory } = context.packages.int8;
  const flags = [...NO_CACHE, "--models.default-model", SEEDED_MODEL.name, ...context.flags];
  const starts: number[] = [];
  const resident: number[] = [];
  for (let count = 0; count <= context.plan.coldStarts; count++) {
    const startMs = performance.now();
    const server = await startSluice({ modelsDirectory, flags });
    try {
      await classifyOnce(server);
      const elapsedMs = performance.now() - startMs;
      if (count === 0) continue;
      starts.push(elapsedMs);
      resident.push(readProcessUsage(server.pid)?.residentMib ?? Number.NaN);
    } finally {
      await server.stop();
    }
  }
  const residentMib = median(resident);
  return {
    firstAnswerMs: median(starts),
    starts,
    residentMib: Number.isNaN(residentMib) ? undefined : residentMib,
  };
}

function classifyOnce({ host, port }: ServerProcess): Promise<void> {
  const headers = { "content-type": "application/json", connection: "close" };
  return new Promise((resolve, reject) => {
    const options = { host, port, path: "/classify", method: "POST", headers };
    const sent = request(options, (response) => {
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`The server answers ${response.statusCode}.`));
      });
    });
    sent.once("error", reject);
    sent.end(toBody("The food was wonderful and the staff were friendly."));
  });
}
