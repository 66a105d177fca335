import { Agent, request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { describeWithData, readData } from "../support/shared-data.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let server: TestServer;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
beforeAll(async () => {
  models = await createModelFolder();
  await models.write();
  server = await startTestServer({
    "models.directory": models.path,
    "rate-limit.requests": "0",
    "server.headers-timeout-ms": "500",
    "server.request-timeout-ms": "1000",
  });
});
afterAll(async () => {
  agent.destroy();
  await server.drain();
  await models.remove();
});

/** Sends bytes as they are. A hang fails by its own, short timeout. */
function post(body: Uint8Array | string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const outgoing = request(
      `${server.url}/classify`,
      { method: "POST", agent, headers: { "content-type": "application/json", ...headers } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    outgoing.setTimeout(5000, () => outgoing.destroy(new Error("The server hangs.")));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Every answer is one of ours: 2xx or 4xx with a JSON body that says why. */
function expectAnswered({ status, body }: { status: number; body: string }, about: string) {
  expect(status, about).toBeGreaterThanOrEqual(200);
  expect(status, about).toBeLessThan(500);
  const answer = JSON.parse(body) as { error?: { code: string; message: string } };
  if (status >= 400) expect(answer.error?.message.length, about).toBeGreaterThan(5);
}

describeWithData("JSON bodies of every kind", ["json_parsing_tests/cases.jsonl"], () => {
  interface Case {
    readonly name: string;
    readonly expect: string;
    readonly base64: string;
  }

  test("all 340 bodies are answered with 2xx or 4xx, and invalid ones with 4xx", async () => {
    const lines = readData("json_parsing_tests/cases.jsonl").split("\n");
    const cases = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Case);
    expect(cases).toHaveLength(340);
    for (const { name, expect: wanted, base64 } of cases) {
      const answer = await post(Buffer.from(base64, "base64"));
      expectAnswered(answer, name);
      // None of the 340 is a classify request, valid JSON or not.
      if (wanted === "reject") expect(answer.status, name).toBe(400);
    }
  }, 60_000);

  test("each body as the value of a field is answered too", async () => {
    const lines = readData("json_parsing_tests/cases.jsonl").split("\n");
    const cases = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Case);
    for (const { name, base64 } of cases) {
      for (const field of ["text", "texts", "model_version", "top_k"]) {
        const value = Buffer.from(base64, "base64");
        const rest = field === "text" ? "" : ', "text": "x"';
        const body = Buffer.concat([Buffer.from(`{"${field}": `), value, Buffer.from(`${rest}}`)]);
        expectAnswered(await post(body), `${name} as ${field}`);
      }
    }
  }, 60_000);
});

describeWithData("naughty strings", ["naughty_strings/blns.json"], () => {
  test("are answered in every text field, alone and together", async () => {
    const strings = JSON.parse(readData("naughty_strings/blns.json")) as string[];
    expect(strings.length).toBeGreaterThan(500);
    for (const text of strings) {
      for (const body of [
        { text },
        { texts: [text] },
        { text: "x", model: text },
        { text: "x", model_version: text },
        { text: "x", function_to_apply: text },
        { text: "x", top_k: text },
        { [text]: "x" },
      ]) {
        expectAnswered(await post(JSON.stringify(body)), JSON.stringify(body));
      }
    }
    const together = await post(JSON.stringify({ texts: strings.filter((text) => text !== "") }));
    expect(together.status).toBe(200);
  }, 60_000);

  test("in headers are answered as well", async () => {
    const strings = JSON.parse(readData("naughty_strings/blns.json")) as string[];
    const printable = strings.filter((text) => /^[\x20-\x7e]+$/.test(text));
    for (const text of printable) {
      for (const header of ["x-request-id", "x-request-timeout-ms", "x-api-key", "authorization"]) {
        expectAnswered(await post('{"text":"x"}', { [header]: text }), `${header}: ${text}`);
      }
    }
  }, 60_000);
});

describe("hostile bodies and connections", () => {
  test.each([
    ["deep nesting", `{"text": ${"[".repeat(500_000)}`],
    ["deep objects", '{"a":'.repeat(100_000)],
    ["nesting inside an unknown field", `{"text":"x","y":${"[".repeat(40)}${"]".repeat(40)}}`],
    ["prototype keys", '{"text":"x","__proto__":{"texts":["y"]},"constructor":1}'],
    ["lone surrogates", '{"text":"\\ud800 and \\udc00"}'],
    ["nothing but blanks", '{"text":"\\u0000\\u200b \\n"}'],
    [
      "a million unknown fields",
      `{${Array.from({ length: 90_000 }, (_, i) => `"f${i}":1`).join()}}`,
    ],
    ["a list of wrong texts", JSON.stringify({ texts: Array.from({ length: 1000 }, () => 1) })],
    ["too many texts", JSON.stringify({ texts: Array.from({ length: 1001 }, () => "x") })],
    ["the largest number", '{"text":"x","top_k":1e308}'],
    ["text that grows eighteenfold when normalized", JSON.stringify({ text: "ﷺ".repeat(5000) })],
  ])("%s is answered", async (name, body) => {
    expectAnswered(await post(body), name);
  });

  test("bodies that are not UTF-8 are refused by name", async () => {
    const answer = await post(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]));
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("UTF-8");
  });

  test("error messages never repeat the caller's text", async () => {
    const answer = await post('{"text": "my secret 4711", oops}');
    expect(answer.status).toBe(400);
    expect(answer.body).not.toContain("secret");
  });

  test("a client that sends its headers too slowly is cut off", async () => {
    const closedAfterMs = await dribble("POST /classify HTTP/1.1\r\nhost: x\r\n");
    expect(closedAfterMs).toBeLessThan(5000);
  });

  test("oversized headers are refused without harm to others", async () => {
    const answer = await post('{"text":"x"}', { "x-large": "y".repeat(40_000) }).catch(
      (error: Error) => ({
        status: 431,
        body: JSON.stringify({ error: { message: error.message } }),
      }),
    );
    expect(answer.status).toBe(431);
    expect((await server.classify({ text: "fine" })).status).toBe(200);
  });
});

/** Opens a connection, sends the start of a request and then nothing; resolves when the server closes it. */
function dribble(start: string): Promise<number> {
  const { port, hostname } = new URL(server.url);
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(start));
    socket.on("error", reject);
    socket.on("data", () => {});
    socket.on("close", () => resolve(performance.now() - startedMs));
  });
}
