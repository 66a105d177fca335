import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The program in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Everything that was printed so far, both streams. */
  readonly output: () => string;
  /** What it printed when it has ended, by itself or not; undefined while it runs. */
  readonly ended: () => string | undefined;
  /** Sends a signal and resolves with the exit code. */
  stop(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number>;
}

const MAIN = fileURLToPath(new URL("../../bin/sluice.mjs", import.meta.url));

/** As `npm start` has it. */
const YOUNG_GENERATION = "--max-semi-space-size=16";
/** Ports beside the first are opened by tests that are about them. */
const ONE_FREE_PORT = ["--server.port=0", "--grpc.listen=off", "--tensorflowServing.listen=off"];

/** Starts `sluice` with these words on a free loopback port. Rejects with what it printed when it ends instead. */
export async function startServerProcess(words: readonly string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, [YOUNG_GENERATION, MAIN, ...ONE_FREE_PORT, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const address = /^ {2}address +(\S+)$/m.exec(output)?.[1];
      if (address !== undefined && /Try it|from the queue/.test(output)) resolve(address);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${output}`)));
    child.once("error", reject);
  });
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    ended: () =>
      child.exitCode === null && child.signalCode === null
        ? undefined
        : `ended with ${child.exitCode ?? child.signalCode}: ${output}`,
    stop: async (signal) => {
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code ?? -1;
    },
  };
}
