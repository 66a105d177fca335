import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "./free-port.ts";

/** A NATS server with JetStream, on a free loopback port, with its data in a temporary folder. */
export interface NatsServer {
  readonly url: string;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Lets it say nothing more, with its connections open. */
  freeze(): void;
  /** Lets it go on. */
  thaw(): void;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** Why there can be no server here; undefined when there can. */
export function findNatsProblem(): string | undefined {
  const { error } = spawnSync("nats-server", ["--version"]);
  return error === undefined ? undefined : "nats-server is not installed";
}

export interface NatsServerOptions {
  readonly jetStream?: boolean;
  /** Room for all streams together, e.g. `2MB`. */
  readonly maxFileStore?: string;
  /** Where the streams are kept; a temporary folder unless it is told. */
  readonly storeFolder?: string;
  /** What clients show, in place of a user and a password. */
  readonly token?: string;
}

/** Starts a server that wants a user and a password, or a token. */
export async function startNatsServer({
  jetStream = true,
  maxFileStore,
  storeFolder,
  token,
}: NatsServerOptions = {}): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-nats-"));
  const port = await findFreePort();
  let server: ChildProcess | undefined;
  const start = async () => {
    const login =
      token === undefined ? ["--user", "sluice", "--pass", "not-a-secret"] : ["--auth", token];
    const store = jetStream ? ["-js", "-sd", storeFolder ?? folder] : [];
    if (maxFileStore !== undefined) {
      const file = join(folder, "server.conf");
      writeFileSync(
        file,
        `jetstream { store_dir: "${folder}", max_file_store: ${maxFileStore} }\n`,
      );
      store.splice(0, store.length, "-c", file);
    }
    const words = ["-a", "127.0.0.1", "-p", String(port), ...store, ...login];
    server = spawn("nats-server", words, { stdio: "ignore" });
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
    url: `nats://${token ?? "sluice:not-a-secret"}@127.0.0.1:${port}`,
    kill,
    restart: start,
    freeze: () => void server?.kill("SIGSTOP"),
    thaw: () => void server?.kill("SIGCONT"),
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
