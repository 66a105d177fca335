import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODEL = "text-classification";
const OWNER = { authorization: "Bearer slc_owner-of-feedback" };
const READER = { authorization: "Bearer slc_reader-of-feedback" };

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-feedback-"));
  server = await startTestServer({
    "records.store.path": join(folder, "records.db"),
    "feedback.rememberedRequests": "50",
    "rateLimit.requests": "0",
  });
});
afterAll(async () => {
  await server.drain();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what came is looked at by the tests.
  readonly json: any;
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined };
}

async function classify(text: string): Promise<{ id: string; label: string; version: string }> {
  const { json } = await ask("POST", "/classify", { text });
  return { id: json.request_id, label: json.predictions[0].label, version: json.model_version };
}

describe("feedback about an answer", () => {
  test("is kept, and counted by version", async () => {
    const { id, label, version } = await classify("A wonderful film.");
    const given = await ask("POST", "/v1/feedback", { request_id: id, label });
    expect(given.status).toBe(201);
    expect(given.json).toMatchObject({
      ...{ request_id: id, item: 0, model: MODEL, model_version: version },
      ...{ predicted: label, label, right: true, has_text: false },
    });
    const { json } = await ask("GET", `/v1/feedback?model=${MODEL}`);
    expect(json).toMatchObject({ model: MODEL });
    const counted = json.versions.find(
      (one: { model_version: string }) => one.model_version === version,
    );
    expect(counted).toMatchObject({ right: 1, wrong: 0, accuracy: 1, upper: 1 });
    expect(counted.lower).toBeLessThan(0.5);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain(
      `ai_model_feedback_total{model="${MODEL}:${version}",outcome="right"} 1`,
    );
  });

  test("replaces what was said before", async () => {
    const { id, label, version } = await classify("A dull evening.");
    const other = label === "negative" ? "positive" : "negative";
    const count = async () => {
      const { json } = await ask("GET", `/v1/feedback?model=${MODEL}`);
      return json.versions.find((one: { model_version: string }) => one.model_version === version);
    };
    const before = await count();
    await ask("POST", "/v1/feedback", { request_id: id, label: other });
    expect(await count()).toMatchObject({ right: before.right, wrong: before.wrong + 1 });
    await ask("POST", "/v1/feedback", { request_id: id, label });
    expect(await count()).toMatchObject({ right: before.right + 1, wrong: before.wrong });
  });

  test("is about one text of several, also of a stream", async () => {
    const inputs = ["wonderful", "x".repeat(6000), "terrible"].map((text) => ({ text }));
    const batch = await ask("POST", "/v1/predictions", { inputs });
    const { request_id } = batch.json;
    expect(
      (await ask("POST", "/v1/feedback", { request_id, item: 2, label: "negative" })).json,
    ).toMatchObject({ right: true, item: 2 });
    const failed = await ask("POST", "/v1/feedback", { request_id, item: 1, label: "negative" });
    expect(failed.status).toBe(400);
    expect(failed.json.error.details[0]).toMatchObject({
      field: "item",
      problem: expect.stringContaining("it failed"),
    });
    const beyond = await ask("POST", "/v1/feedback", { request_id, item: 3, label: "negative" });
    expect(beyond.json.error.details[0].problem).toContain("0 to 2");
    const stream = await ask(
      "POST",
      "/v1/predictions",
      { inputs: inputs.slice(2) },
      { accept: "application/x-ndjson" },
    );
    const lines = stream.text.trim().split("\n");
    const { request_id: streamed } = JSON.parse(lines.at(-1) ?? "");
    const later = { request_id: streamed, label: "negative" };
    expect((await ask("POST", "/v1/feedback", later)).json).toMatchObject({ right: true });
  });

  test("by every protocol, by the id in the answer's header", async () => {
    const response = await fetch(`${server.url}/v1/models/${MODEL}:predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ instances: ["wonderful"] }),
    });
    expect(response.status).toBe(200);
    const request_id = response.headers.get("x-request-id");
    expect((await ask("POST", "/v1/feedback", { request_id, label: "positive" })).status).toBe(201);
  });

  test("that is too late, or about nobody's answer, is told so", async () => {
    const { id } = await classify("An early one.");
    for (let at = 0; at < 51; at++) await classify(`A later one, ${at}.`);
    for (const request_id of [id, "never", "\u0000"]) {
      const { status, json } = await ask("POST", "/v1/feedback", { request_id, label: "positive" });
      expect(status).toBe(404);
      expect(json.error.details[0]).toMatchObject({
        field: "request_id",
        problem: expect.stringContaining("feedback.rememberedRequests"),
      });
    }
  });

  test.each([
    [{}, ["request_id", "label"]],
    [{ request_id: 1, label: "a" }, ["request_id"]],
    [{ request_id: "a", label: "" }, ["label"]],
    [{ request_id: "a", label: "b", item: -1 }, ["item"]],
    [{ request_id: "a", label: "b", item: 1.5 }, ["item"]],
    [{ request_id: "a", label: "b", text: 1 }, ["text"]],
    [{ request_id: "a", label: "b", text_pair: "x" }, ["text"]],
    [{ request_id: "a", label: "b", text: "x".repeat(5001) }, ["text"]],
    [{ request_id: "a", label: "b", colour: "red" }, ["colour"]],
  ])("in a wrong form names the fields: %j", async (body, fields) => {
    const { status, json } = await ask("POST", "/v1/feedback", body);
    expect(status).toBe(400);
    expect(json.error.details.map((one: { field: string }) => one.field)).toEqual(fields);
  });

  test("with a label that the model does not know is refused", async () => {
    const { id } = await classify("Fine.");
    const { status, json } = await ask("POST", "/v1/feedback", {
      request_id: id,
      label: "positiv",
    });
    expect(status).toBe(400);
    expect(json.error.details[0]).toMatchObject({
      field: "label",
      problem: expect.stringContaining("positive"),
    });
  });

  test.each([
    ["", 400],
    ["?model=nobody", 404],
    [`?model=${MODEL}&since=yesterday`, 400],
    [`?model=${MODEL}&colour=red`, 400],
    [`?model=${MODEL}&since=2026-01-31T12:00:00Z`, 200],
  ])("is asked for: %s", async (query, status) => {
    expect((await ask("GET", `/v1/feedback${query}`)).status).toBe(status);
  });
});

describe("gate sets", () => {
  test("are made, read, listed, exported and removed", async () => {
    const items = [
      { text: "Good 😀", label: "positive" },
      { text: "a", text_pair: "b", label: "x" },
    ];
    const made = await ask("PUT", "/v1/gate-sets/first.one", { items });
    expect(made.json).toMatchObject({ name: "first.one", size: 2 });
    expect((await ask("GET", "/v1/gate-sets/first.one")).json).toEqual({ items });
    const lines = await ask("GET", "/v1/gate-sets/first.one", undefined, {
      accept: "application/x-ndjson",
    });
    expect(lines.text).toBe(items.map((item) => `${JSON.stringify(item)}\n`).join(""));
    expect((await ask("GET", "/v1/gate-sets")).json.gate_sets).toContainEqual(made.json);
    expect((await ask("DELETE", "/v1/gate-sets/first.one")).status).toBe(204);
    expect((await ask("DELETE", "/v1/gate-sets/first.one")).status).toBe(404);
    expect((await ask("GET", "/v1/gate-sets/first.one")).status).toBe(404);
  });

  test.each([
    ["Upper", { items: [{ text: "a", label: "b" }] }, "name"],
    ["a", {}, "items"],
    ["a", { items: [] }, "items"],
    ["a", { items: [1] }, "items[0]"],
    ["a", { items: [{ text: "", label: "b" }] }, "items[0].text"],
    ["a", { items: [{ text: "a" }] }, "items[0].label"],
    ["a", { items: [{ text: "a", label: "b", more: 1 }] }, "items[0].more"],
    ["a", { items: [{ text: "a", label: "b" }], more: 1 }, "more"],
  ])("in a wrong form name the field: %s %j", async (name, body, field) => {
    const { status, json } = await ask("PUT", `/v1/gate-sets/${name}`, body);
    expect(status).toBe(400);
    expect(json.error.details[0].field).toBe(field);
  });

  test("of more texts than they hold are refused", async () => {
    const items = Array.from({ length: 10_001 }, () => ({ text: "a", label: "b" }));
    const { status, json } = await ask("PUT", "/v1/gate-sets/a", { items });
    expect(status).toBe(400);
    expect(json.error.details[0].problem).toContain("at most 10000");
  });

  test("are made of feedback with texts, personal data masked", async () => {
    const { id, label } = await classify("Write to jo@mail.example, it was wonderful.");
    const text = "Write to jo@mail.example, it was wonderful.";
    await ask("POST", "/v1/feedback", { request_id: id, label, text });
    const other = await classify("It broke.");
    await ask("POST", "/v1/feedback", {
      request_id: other.id,
      label: "positive",
      text: "It broke.",
    });
    const all = await ask("POST", "/v1/gate-sets/of-people/collect", { model: MODEL });
    expect(all.json).toMatchObject({ name: "of-people", size: 2 });
    const { json } = await ask("GET", "/v1/gate-sets/of-people");
    expect(json.items).toContainEqual({ text: "Write to [EMAIL], it was wonderful.", label });
    const wrong = await ask("POST", "/v1/gate-sets/of-people/collect", {
      model: MODEL,
      only_wrong: true,
    });
    expect(wrong.json).toMatchObject({ size: 1 });
    const since = "2999-01-01T00:00:00Z";
    const none = await ask("POST", "/v1/gate-sets/of-people/collect", { model: MODEL, since });
    expect(none.status).toBe(400);
    expect(none.json.error.details[0]).toMatchObject({
      field: "model",
      problem: expect.stringContaining("feedback.sampleRate"),
    });
    expect((await ask("POST", "/v1/gate-sets/x/collect", { model: "nobody" })).status).toBe(404);
  });
});

describe("a key that is not named", () => {
  test("may look, and say nothing", async () => {
    const keys = [
      { id: "owner", sha256: hash("sha256", "slc_owner-of-feedback", "hex") },
      { id: "reader", sha256: hash("sha256", "slc_reader-of-feedback", "hex") },
    ];
    const own = await startTestServer({
      "records.store.path": join(folder, "own.db"),
      "auth.keys": JSON.stringify(keys),
      "feedback.keys": '["owner"]',
      "rateLimit.requests": "0",
    });
    try {
      const put = (headers: Record<string, string>) =>
        fetch(`${own.url}/v1/gate-sets/a`, {
          method: "PUT",
          headers: { ...headers, "content-type": "application/json" },
          body: JSON.stringify({ items: [{ text: "a", label: "b" }] }),
        });
      expect((await put(READER)).status).toBe(403);
      expect((await put(OWNER)).status).toBe(200);
      const read = await fetch(`${own.url}/v1/gate-sets/a`, { headers: READER });
      expect(read.status).toBe(200);
    } finally {
      await own.drain();
    }
  });
});

describe("kept texts", () => {
  test("outlive the process, so that feedback may come later and elsewhere", async () => {
    const flags = {
      "records.store.path": join(folder, "kept.db"),
      "feedback.sampleRate": "1",
      "rateLimit.requests": "0",
    };
    const first = await startTestServer(flags);
    const asked = await first.classify({ text: "Call 030 1234 5678, it was wonderful." });
    const { request_id, predictions } = (await asked.json()) as {
      request_id: string;
      predictions: { label: string }[];
    };
    const label = predictions[0]?.label;
    await first.drain();
    const second = await startTestServer(flags);
    try {
      const post = (path: string, body: object) =>
        fetch(`${second.url}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
      const given = await post("/v1/feedback", { request_id, label });
      expect(await given.json()).toMatchObject({ right: true, has_text: true });
      // Feedback that comes at once finds its text too.
      const now = (await (await second.classify({ text: "Dull." })).json()) as {
        request_id: string;
      };
      const early = await post("/v1/feedback", { request_id: now.request_id, label: "negative" });
      expect(await early.json()).toMatchObject({ has_text: true });
      // So does that about texts that came as tensors.
      const input = { name: "text", datatype: "BYTES", shape: [1], data: ["Splendid."] };
      const tensors = await post(`/v2/models/${MODEL}/infer`, { inputs: [input] });
      const other = { request_id: tensors.headers.get("x-request-id"), label: "positive" };
      expect(await (await post("/v1/feedback", other)).json()).toMatchObject({ has_text: true });
      await post("/v1/gate-sets/late/collect", { model: MODEL });
      const read = await fetch(`${second.url}/v1/gate-sets/late`);
      const items = [
        { text: "Splendid.", label: "positive" },
        { text: "Dull.", label: "negative" },
        { text: "Call [PHONE], it was wonderful.", label },
      ];
      expect(await read.json()).toEqual({ items });
    } finally {
      await second.drain();
    }
  });
});
