import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A server that runs as a child process. */
export interface ServerProcess {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Asks it to end; kills it when it does not within some seconds. */
  stop(): Promise<void>;
}

export interface SluiceOptions {
  readonly modelsDirectory: string;
  /** More settings as flags, e.g. `--cache.store.driver`, `none`. */
  readonly flags?: readonly string[];
}

/** As `npm start` has it. */
const YOUNG_GENERATION = "--max-semi-space-size=16";
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5000;
const ADDRESS = /^ {2}address +(http:\/\/\S+)$/m;

/** The real server. Its rate limiter is on, with an allowance that no benchmark reaches, so that its cost is counted. */
export function startSluice(options: SluiceOptions): Promise<ServerProcess> {
  return startServer([YOUNG_GENERATION, "../../../bin/sluice.mjs"], toWords(options));
}

/** The same server, but a model costs nothing: see `without-inference/replace-runtime.ts`. */
export function startSluiceWithoutInference(options: SluiceOptions): Promise<ServerProcess> {
  const replacement = new URL("without-inference/replace-runtime.ts", import.meta.url);
  const program = [YOUNG_GENERATION, "--import", replacement.href, "../../../bin/sluice.mjs"];
  return startServer(program, toWords(options));
}

/** The bare Fastify server with the same route. */
export function startEcho(): Promise<ServerProcess> {
  return startServer(["echo-server.ts"], []);
}

function toWords({ modelsDirectory, flags = [] }: SluiceOptions): readonly string[] {
  const settings = ["--server.port", "0", "--rate-limit.requests", "1000000000"];
  return [...settings, "--models.directory", modelsDirectory, ...flags];
}

/** @param program arguments of Node, the last of them a file beside this one */
async function startServer(
  program: readonly string[],
  words: readonly string[],
): Promise<ServerProcess> {
  const path = fileURLToPath(new URL(program.at(-1) ?? "", import.meta.url));
  const child = spawn(process.execPath, [...program.slice(0, -1), path, ...words], {
    // Neither a sluice.yaml in the working directory nor the caller's environment may change what is measured.
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    env: plainEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  // An interrupted benchmark must leave nothing behind.
  const killLeft = () => child.kill("SIGKILL");
  process.once("exit", killLeft);
  const stop = async () => {
    await stopChild(child);
    process.off("exit", killLeft);
  };
  try {
    const { hostname, port } = new URL(await readAddress(child));
    return { host: hostname, port: Number(port), pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function plainEnvironment(): NodeJS.ProcessEnv {
  const own = /^(SLUICE_.*|PORT|MODEL_PATH)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

/** Both servers print a line with their address as soon as they listen. */
function readAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    let complaints = "";
    const fail = (why: string) => reject(new Error(`The server ${why}.\n${complaints}`));
    const timer = setTimeout(fail, START_TIMEOUT_MS, "did not print its address in time");
    child.stderr?.on("data", (data) => {
      complaints = `${complaints}${data}`.slice(-10_000);
    });
    child.stdout?.on("data", (data) => {
      output = `${output}${data}`.slice(-10_000);
      const address = ADDRESS.exec(output)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code} before it listened`);
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
