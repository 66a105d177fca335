import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import type { ThreadSupply } from "./thread-supply.ts";
import { createThreadSupply, startThread } from "./thread-supply.ts";

const NO_PROGRAM = new URL("./no-such-worker.ts", import.meta.url);

let started: Worker[] = [];

afterEach(async () => {
  await Promise.all(started.map((thread) => thread.terminate()));
  started = [];
});

function createWatchedSupply(program?: URL): ThreadSupply {
  return createThreadSupply(() => {
    const thread = startThread(program);
    started.push(thread);
    return thread;
  });
}

/** Unlike `once` of Node, this does not reject when the thread ends with an error. */
function toExit(thread: Worker): Promise<void> {
  return new Promise((resolve) => thread.on("exit", () => resolve()));
}

test("a thread is started before anybody asks, and goes to whoever asks first", () => {
  const supply = createWatchedSupply();
  expect(started).toHaveLength(1);
  expect(supply.take()).toBe(started[0]);
  expect(started).toHaveLength(1);
  expect(supply.take()).toBe(started[1]);
});

test("a thread that nobody took is ended, and a later one is new", async () => {
  const supply = createWatchedSupply();
  const exited = started.map(toExit);
  supply.close();
  await Promise.all(exited);
  expect(supply.take()).toBe(started[1]);
});

test("a thread that was taken goes on when the supply is closed", () => {
  const supply = createWatchedSupply();
  const thread = supply.take();
  supply.close();
  expect(thread.threadId).toBeGreaterThan(0);
});

test("a thread that cannot start brings nobody down, and the next one tells whoever needs it", async () => {
  const supply = createWatchedSupply(NO_PROGRAM);
  await Promise.all(started.map(toExit));
  const [error] = await once(supply.take(), "error");
  expect(String(error)).toContain("no-such-worker");
});
