import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./find-program.ts";
import { findFreePort } from "./free-port.ts";

/** A Redis server of its own, on a free loopback port, that wants a password. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** Makes it answer nothing, as a machine that hangs, until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/** Why there can be no server here; undefined when there can. */
export function findRedisProblem(): string | undefined {
  return findProgram("redis-server") === undefined ? "redis-server is not installed" : undefined;
}

const PASSWORD = "not-a-secret";

/** @param settings further words for its command line, e.g. `["--maxmemory", "2mb"]` */
export async function startRedisServer(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-redis-"));
  const port = await findFreePort();
  let server: ChildProcess | undefined;
  const start = async () => {
    const place = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder];
    const words = [...place, "--save", "", "--requirepass", PASSWORD, ...settings];
    server = spawn("redis-server", words, { stdio: "ignore" });
    for (let tries = 0; tries < 500 && !(await isOpen(port)); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const kill = async () => {
    if (server === undefined) return;
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    server = undefined;
    await ended;
  };
  await start();
  return {
    url: `redis://:${PASSWORD}@127.0.0.1:${port}`,
    port,
    kill,
    restart: start,
    pause: () => void server?.kill("SIGSTOP"),
    resume: () => void server?.kill("SIGCONT"),
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
