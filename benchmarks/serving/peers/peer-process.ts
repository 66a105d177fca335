import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listProcessTree } from "../servers/process-usage.ts";
import type { PeerEnvironment } from "./peer-environment.ts";
import type { PeerKind, PeerPorts, PeerProgram, PeerSetting } from "./peer-kinds.ts";

/** A peer that answers. */
export interface RunningPeer {
  readonly host: string;
  readonly port: number;
  /** All its processes, those of Redis and of workers included. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface PeerStart {
  readonly kind: PeerKind;
  readonly environment: PeerEnvironment;
  readonly setting: PeerSetting;
  /** What the programs read about the model: names as in `python/classifier.py`. */
  readonly model: Readonly<Record<string, string>>;
  /** For files of the peer. */
  readonly workDirectory: string;
}

const HOST = "127.0.0.1";
const PROGRAMS = fileURLToPath(new URL("python", import.meta.url));
const START_TIMEOUT_MS = 90_000;
const POLL_MS = 200;
const STOP_TIMEOUT_MS = 6000;

/** @throws Error with the last words of the peer when it does not answer in time */
export async function startPeer(start: PeerStart): Promise<RunningPeer> {
  const { kind, setting } = start;
  const ports = await findFreePorts();
  const children: PeerChild[] = [];
  const stop = async () => {
    // What was started last depends on what was started first.
    for (const child of children.toReversed()) await child.stop();
  };
  try {
    for (const program of kind.programs(ports, setting)) {
      children.push(await startProgram(program, start));
    }
    await waitUntilReady(`http://${HOST}:${ports.http}${kind.readyPath}`, children);
  } catch (error) {
    await stop();
    throw error;
  }
  const pids = children.flatMap(({ process }) => [...listProcessTree(process.pid ?? 0)]);
  return { host: HOST, port: ports.http, pids, stop };
}

interface PeerChild {
  readonly process: ChildProcess;
  readonly lastWords: () => string;
  stop(): Promise<void>;
}

async function startProgram(
  { program, words, environment = {}, files = {} }: PeerProgram,
  { environment: { bin }, setting, model, workDirectory }: PeerStart,
): Promise<PeerChild> {
  await mkdir(workDirectory, { recursive: true });
  for (const [name, text] of Object.entries(files))
    await writeFile(join(workDirectory, name), text);
  const isScript = words[0]?.endsWith(".py") === true;
  const child = spawn(
    program === "redis-server" ? program : join(bin, program),
    isScript ? [join(PROGRAMS, words[0] ?? ""), ...words.slice(1)] : [...words],
    {
      cwd: workDirectory,
      env: {
        ...process.env,
        ...model,
        ...environment,
        PYTHONPATH: PROGRAMS,
        PYTHONDONTWRITEBYTECODE: "1",
        BENTOML_HOME: join(workDirectory, "bentoml"),
        BENCH_WORKERS: `${setting.workers}`,
        BENCH_THREADS: `${setting.threads}`,
        BENCH_MAX_BATCH: `${setting.maxBatch}`,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  // An interrupted benchmark must leave nothing behind.
  const killLeft = () => killAll(child.pid === undefined ? [] : listProcessTree(child.pid));
  process.once("exit", killLeft);
  let output = "";
  const keep = (data: Buffer) => {
    output = `${output}${data}`.slice(-2000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.once("error", ({ message }) => keep(Buffer.from(message)));
  const stop = async () => {
    await stopTree(child);
    process.off("exit", killLeft);
  };
  return { process: child, lastWords: () => output, stop };
}

async function waitUntilReady(url: string, children: readonly PeerChild[]): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const ended = children.find(({ process: { exitCode, pid } }) => exitCode !== null || !pid);
    if (ended !== undefined) throw new Error(`it ended at once: ${toLastLine(ended.lastWords())}`);
    const ready = await fetch(url, { headers: { connection: "close" } }).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await delay(POLL_MS);
  }
  throw new Error(`it is not ready in time: ${toLastLine(children.at(-1)?.lastWords() ?? "")}`);
}

/** Asks the first process to end; whatever of its tree is left after some seconds is killed, each process by its id. */
async function stopTree(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const tree = listProcessTree(child.pid);
  child.kill("SIGTERM");
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (tree.some(isAlive) && Date.now() < deadline) await delay(POLL_MS);
  killAll(tree);
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids.filter(isAlive)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function findFreePorts(): Promise<PeerPorts> {
  const servers = [createServer(), createServer(), createServer()];
  for (const server of servers) await once(server.listen(0, HOST), "listening");
  const [http = 0, second = 0, third = 0] = servers.map(
    (server) => (server.address() as AddressInfo).port,
  );
  for (const server of servers) server.close();
  return { http, second, third };
}

function toLastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
