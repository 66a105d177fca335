import { spawn, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeepAliveClient } from "../support/keep-alive-client.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder, writeSlowModel } from "../support/model-folder.ts";
import { startServerProcess } from "../support/server-process.ts";

let fast: ModelFolder;
let slow: ModelFolder;
beforeAll(async () => {
  fast = await createModelFolder();
  await fast.write();
  slow = await createModelFolder();
  await slow.write({ bytes: writeSlowModel(60) });
});
afterAll(async () => {
  await fast.remove();
  await slow.remove();
});

describe("the start screen", () => {
  test("tells the address, the models, the drivers, and a curl line that works when pasted", async () => {
    const server = await startServerProcess(["--models.directory", fast.path]);
    const screen = server.output();
    expect(screen).toContain("text-classification 1.0.0 · default · negative/positive");
    for (const port of ["docs", "models", "cache", "rate limit", "keys"]) {
      expect(screen).toMatch(new RegExp(`^ {2}${port} +\\S`, "m"));
    }
    const line = /^ {2}(curl .*)$/m.exec(screen)?.[1] ?? "";
    const { stdout, status } = spawnSync("sh", ["-c", line]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({ predictions: [{ label: /./ }] });
    expect(await server.stop("SIGINT")).toBe(0);
  });
});

describe("kill -TERM under load", () => {
  const models = [
    ["a cheap model", () => fast.path],
    ["a model in worker threads", () => slow.path],
  ] as const;
  test.each(models)("drops no request that was accepted, with %s", async (_name, folder) => {
    const server = await startServerProcess([
      "--models.directory",
      folder(),
      "--rate-limit.requests",
      "0",
      // On a busy machine the slow model would refuse some, rightly; here every one is to be answered.
      "--batching.max-queue-wait-ms",
      "60000",
    ]);
    const clients = Array.from({ length: 16 }, () => new KeepAliveClient(server.url));
    let answered = 0;
    let lastAnswers = 0;
    const failures: string[] = [];
    // Every client goes on until the server says that this connection ends.
    const running = clients.map(async (client, c) => {
      for (let i = 0; ; i++) {
        try {
          const { status, headers, body } = await client.classify({
            text: `client ${c} text ${i}`,
          });
          if (status !== 200 || !body.includes("predictions")) failures.push(`${status} ${body}`);
          answered++;
          if (headers["connection"] === "close") {
            lastAnswers++;
            return;
          }
        } catch (error) {
          failures.push(String(error));
          return;
        }
      }
    });
    await expect.poll(() => answered, { timeout: 20_000 }).toBeGreaterThan(100);
    const code = await server.stop("SIGTERM");
    await Promise.all(running);
    for (const client of clients) client.close();
    expect(failures).toEqual([]);
    expect(lastAnswers).toBe(clients.length);
    expect(code).toBe(0);
  });

  test("an idle connection does not hold the server up", async () => {
    const server = await startServerProcess(["--models.directory", fast.path]);
    const client = new KeepAliveClient(server.url);
    await client.classify({ text: "hello" });
    const startedMs = performance.now();
    expect(await server.stop("SIGTERM")).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(5000);
    client.close();
  });
});

describe("a start that cannot work", () => {
  const fail = (...words: string[]) => {
    const main = fileURLToPath(new URL("../../bin/sluice.mjs", import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [main, ...words], { timeout: 20_000 });
    return { status, message: stderr.toString() };
  };

  test("a port in use is named with the way out", async () => {
    const server = await startServerProcess(["--models.directory", fast.path]);
    const { port } = new URL(server.url);
    const { status, message } = fail("--models.directory", fast.path, "--server.port", port);
    expect(status).toBe(1);
    expect(message).toContain("choose another port with --server.port");
    await server.stop("SIGTERM");
  });

  test("binding to the world without keys is refused and says what to do", () => {
    const { status, message } = fail("--server.host", "0.0.0.0", "--models.directory", fast.path);
    expect(status).toBe(1);
    expect(message).toContain("sluice keys create");
  });

  test("mistakes of file, environment and flags come together", async () => {
    const file = join(fast.path, "wrong.yaml");
    await writeFile(file, "server:\n  port: many\ncach:\n  ttlSeconds: 5\n");
    const { status, message } = fail("--config", file, "--batching.max-batch-items", "0");
    expect(status).toBe(1);
    for (const part of ["server.port", "cach", "batching.maxBatchItems"]) {
      expect(message).toContain(part);
    }
  });
});

describe("npm start", () => {
  test("a signal to npm reaches the server, which drains", async () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const words = [
      "start",
      "--silent",
      "--",
      "--server.port",
      "0",
      "--models.directory",
      fast.path,
    ];
    const npm = spawn("npm", words, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const ended = new Promise<void>((resolve) => npm.stdout.on("close", () => resolve()));
    const url = await new Promise<string>((resolve, reject) => {
      npm.once("exit", (code) => reject(new Error(`npm ended with ${code}: ${output}`)));
      for (const stream of [npm.stdout, npm.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          output += chunk.toString();
          const address = /^ {2}address +(\S+)$/m.exec(output)?.[1];
          if (address !== undefined && output.includes("curl")) resolve(address);
        });
      }
    });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    npm.kill("SIGTERM");
    // The pipe closes when the last process that holds it has ended.
    await ended;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });
});
