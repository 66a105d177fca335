import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findFreePort } from "./free-port.ts";

const run = promisify(execFile);

/** A PostgreSQL server of its own, on a free loopback port, with its data in a temporary folder. */
export interface PostgresServer {
  /** Of its database `sluice`. */
  readonly url: string;
  /** The same server and another, empty database; with its tables in `folder`, which must be the server's and empty. */
  createDatabase(name: string, folder?: string): Promise<string>;
  /** Removes a database that has a folder of its own, with the place that it was in. */
  dropDatabase(name: string): Promise<void>;
  /** Makes a folder the server's. */
  ownFolder(folder: string): Promise<void>;
  /** Ends the server at once, as a power cut would end it. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

const PROGRAMS = "/usr/lib/postgresql";
const PASSWORD = "not-a-secret";
const START_LIMIT_MS = 20_000;

/** Why there can be no server here; undefined when there can. */
export function findPostgresProblem(): string | undefined {
  if (findPrograms() === undefined) return "PostgreSQL is not installed";
  const isRoot = process.getuid?.() === 0;
  if (isRoot && !existsSync("/usr/sbin/runuser")) return "PostgreSQL does not run as root";
  return undefined;
}

/** Makes a cluster and starts it. */
export async function startPostgresServer(): Promise<PostgresServer> {
  const programs = findPrograms();
  if (programs === undefined) throw new Error("PostgreSQL is not installed");
  const folder = await mkdtemp(join(tmpdir(), "sluice-postgres-"));
  const data = join(folder, "data");
  const port = await findFreePort();
  if (process.getuid?.() === 0) await run("chown", ["postgres", folder]);
  else await chmod(folder, 0o700);
  const passwordFile = join(folder, "password");
  await asPostgres(["sh", "-c", `umask 077; printf %s ${PASSWORD} > ${passwordFile}`]);
  const login = ["-U", "sluice", "--pwfile", passwordFile, "--auth", "scram-sha-256"];
  await asPostgres([join(programs, "initdb"), "-D", data, ...login, "--no-locale", "-E", "UTF8"]);
  const urlOf = (database: string) => `postgres://sluice:${PASSWORD}@127.0.0.1:${port}/${database}`;
  const execute = async (statement: string) => {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: urlOf("postgres") });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  const start = async () => {
    const settings = ["-p", String(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=on"];
    const [command = "", ...words] = toPostgresCommand([
      join(programs, "postgres"),
      ...["-D", data, ...settings],
    ]);
    const server = spawn(command, words, { stdio: "ignore" });
    server.unref();
    const untilMs = Date.now() + START_LIMIT_MS;
    for (;;) {
      try {
        await execute("select 1");
        return;
      } catch (error) {
        if (Date.now() > untilMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const end = async (signal: "SIGQUIT" | "SIGKILL") => {
    const pid = await readPid(data);
    if (pid === undefined) return;
    // What it started ends when it sees that its parent has gone, and only then may another begin.
    const children = await listChildren(pid);
    process.kill(pid, signal);
    for (const one of [pid, ...children]) await waitForEnd(one);
  };
  const createDatabase = async (name: string, place?: string) => {
    if (place !== undefined) await execute(`create tablespace "${name}" location '${place}'`);
    const where = place === undefined ? "" : ` tablespace "${name}"`;
    await execute(`create database "${name}"${where}`);
    return urlOf(name);
  };
  await start();
  const url = await createDatabase("sluice");
  return {
    url,
    createDatabase,
    dropDatabase: async (name) => {
      await execute(`drop database "${name}" with (force)`);
      await execute(`drop tablespace "${name}"`);
    },
    ownFolder: async (place) => {
      if (process.getuid?.() === 0) await run("chown", ["postgres", place]);
    },
    kill: () => end("SIGKILL"),
    restart: start,
    close: async () => {
      await end("SIGQUIT");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function findPrograms(): string | undefined {
  if (!existsSync(PROGRAMS)) return undefined;
  const versions = readdirSync(PROGRAMS).sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(PROGRAMS, version, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")));
}

async function asPostgres(command: readonly string[]): Promise<void> {
  const [program = "", ...words] = toPostgresCommand(command);
  await run(program, words, { cwd: tmpdir() });
}

/** PostgreSQL refuses to run as root. */
function toPostgresCommand(command: readonly string[]): readonly string[] {
  if (process.getuid?.() !== 0) return command;
  return ["/usr/sbin/runuser", "-u", "postgres", "--", ...command];
}

async function readPid(data: string): Promise<number | undefined> {
  try {
    const [line = ""] = (await readFile(join(data, "postmaster.pid"), "utf8")).split("\n");
    const pid = Number(line);
    return isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function listChildren(pid: number): Promise<readonly number[]> {
  try {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

async function waitForEnd(pid: number): Promise<void> {
  const untilMs = Date.now() + START_LIMIT_MS;
  while (isAlive(pid) && Date.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
