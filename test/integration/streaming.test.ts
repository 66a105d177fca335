import { get } from "node:http";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = fileURLToPath(new URL("../../models", import.meta.url));

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    "models.directory": MODELS,
    "models.defaultVersions": '{"text-classification":"1.0.0"}',
    "limits.maxTextsPerRequest": "100",
    "limits.maxStreamedTexts": "600",
  });
});
afterAll(async () => {
  await server.drain();
});

function ask(body: unknown, accept: string): Promise<Response> {
  return fetch(`${server.url}/v1/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json", accept },
    body: JSON.stringify(body),
  });
}

const texts = Array.from({ length: 500 }, (_, i) => `Review ${i}: a fine day at beach ${i % 7}.`);

test("more texts than a request may have are streamed line by line, each with its index and the answer it has alone", async () => {
  const answer = await ask({ inputs: texts }, "application/x-ndjson");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
  expect(answer.headers.get("x-request-id")).toBeTruthy();
  const lines = (await answer.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const done = lines.pop();
  expect(done).toMatchObject({ done: true, answered: 500, failed: 0 });
  expect(lines.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(texts.map((_, i) => i));
  for (const index of [0, 250, 499]) {
    const answer = await ask({ inputs: [texts[index]] }, "application/json");
    const alone = (await answer.json()) as { outputs: { labels: unknown }[] };
    const streamed = lines.find((line) => line.index === index);
    expect(streamed.labels).toEqual(alone.outputs[0]?.labels);
  }
});

test("as server-sent events, a bad text is one event among the others", async () => {
  const inputs = ["Lovely.", "   ", "x".repeat(5001), "Awful."];
  const answer = await ask({ inputs }, "text/event-stream");
  const events = (await answer.text()).trimEnd().split("\n\n");
  expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(events).toHaveLength(5);
  const outputs = events.slice(0, 4).map((event) => {
    expect(event).toMatch(/^event: output\ndata: \{/);
    return JSON.parse(event.replace("event: output\ndata: ", ""));
  });
  const failed = outputs.filter(({ error }) => error !== undefined).map(({ index }) => index);
  expect(failed.toSorted()).toEqual([1, 2]);
  expect(events[4]).toMatch(/^event: done\ndata: \{"done":true,"answered":2,"failed":2/);
});

test("what is wrong with the whole request still has its status", async () => {
  const stream = "application/x-ndjson";
  expect((await ask({ inputs: ["a"], model: "nothing" }, stream)).status).toBe(404);
  expect((await ask({ inputs: [5] }, stream)).status).toBe(400);
  const tooMany = await ask({ inputs: Array.from({ length: 601 }, () => "a") }, stream);
  expect(tooMany.status).toBe(400);
  expect(await tooMany.text()).toContain("1 to 600");
});

test("a body that is compressed is read, and a bomb is refused", async () => {
  const { gzipSync, deflateSync } = await import("node:zlib");
  const send = (body: Uint8Array<ArrayBuffer>, encoding: string) =>
    fetch(`${server.url}/classify`, {
      method: "POST",
      headers: { "content-type": "application/json", "content-encoding": encoding },
      body,
    });
  const body = Buffer.from(JSON.stringify({ text: "A fine day." }));
  expect((await send(gzipSync(body), "gzip")).status).toBe(200);
  expect((await send(deflateSync(body), "deflate")).status).toBe(200);
  expect((await send(body, "gzip")).status).toBe(400);
  expect((await send(body, "br")).status).toBe(415);
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
  expect(bomb.length).toBeLessThan(100_000);
  expect((await send(bomb, "gzip")).status).toBe(413);
});

test("a client that goes away in the middle ends the work, and the server lives", async () => {
  const request = get(`${server.url}/v1/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/x-ndjson" },
  });
  request.on("error", () => {});
  request.end(JSON.stringify({ inputs: texts.map((text) => `${text} again`) }));
  await new Promise((resolve) => request.once("response", resolve));
  request.destroy();
  const after = await server.classify({ text: "Still there?" });
  expect(after.status).toBe(200);
});
