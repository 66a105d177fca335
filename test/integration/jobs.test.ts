import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = new URL("../../models", import.meta.url).pathname;
const FAST = { model: "text-classification", model_version: "1.0.0" };

interface WireJob {
  readonly id: string;
  readonly state: string;
  readonly rows: { readonly total: number; readonly done: number; readonly failed: number };
  readonly progress: number;
}

let folder: string;
let server: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-jobs-"));
  server = await startTestServer({
    "models.directory": MODELS,
    "records.store.driver": "sqlite",
    "records.store.path": join(folder, "records.db"),
    "jobs.chunkRows": "16",
    "jobs.maxRows": "2000",
    "jobs.maxUploadBytes": "200000",
    "rateLimit.requests": "0",
  });
});
afterAll(async () => {
  await server.drain();
  await rm(folder, { recursive: true, force: true });
});

/** What a JSON answer holds, as tests look at it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any form
const readJson = async (response: Response): Promise<any> => await response.json();
const at = (path: string) => new URL(path, server.url);
const submit = (body: string | Uint8Array, type: string, query = "", headers = {}) =>
  fetch(at(`/v1/jobs${query}`), {
    method: "POST",
    headers: { "content-type": type, ...headers },
    body: body as RequestInit["body"] & string,
  });
const submitJson = (body: object, headers = {}) =>
  submit(JSON.stringify(body), "application/json", "", headers);
const find = async (id: string) => (await (await fetch(at(`/v1/jobs/${id}`))).json()) as WireJob;

async function waitFor(id: string, state = "completed"): Promise<WireJob> {
  await expect.poll(async () => (await find(id)).state, { timeout: 20_000 }).toBe(state);
  return await find(id);
}

async function readLines(id: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(at(`/v1/jobs/${id}/results`));
  expect(response.status).toBe(200);
  const text = await response.text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function makeJob(response: Response): Promise<WireJob> {
  expect(response.status, await response.clone().text()).toBe(201);
  const job = (await response.json()) as WireJob;
  expect(response.headers.get("location")).toBe(`/v1/jobs/${job.id}`);
  return job;
}

describe("a job", () => {
  test("answers every row in the order of the rows, with errors of their own", async () => {
    const rows = Array.from({ length: 100 }, (_, i) => ({
      text: `This is text ${i}.`,
      id: `r${i}`,
    }));
    const wrong = [
      { text: "" },
      7,
      { text: "x", pair: "y", id: "pair" },
      { text: "y".repeat(6000) },
    ];
    const body = { ...FAST, rows: [...rows.slice(0, 50), ...wrong, ...rows.slice(50)] };
    const job = await makeJob(await submitJson(body));
    expect(job).toMatchObject({ rows: { total: 104 } });
    const ended = await waitFor(job.id);
    expect(ended).toMatchObject({ rows: { total: 104, done: 104, failed: 4 }, progress: 1 });

    const lines = await readLines(job.id);
    expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: 104 }, (_, i) => i));
    expect(lines[0]).toEqual({
      ...{ row: 0, id: "r0", model_version: "1.0.0" },
      predictions: [{ label: expect.any(String), confidence: expect.any(Number) }],
    });
    expect(lines.slice(50, 54).map(({ error }) => error)).toEqual([
      { code: "invalid_argument", message: expect.stringContaining("empty") },
      { code: "invalid_argument", message: expect.stringContaining("found the number 7") },
      { code: "invalid_argument", message: expect.stringContaining("pair") },
      { code: "invalid_argument", message: expect.stringContaining("at most 5000 characters") },
    ]);
    expect(lines[103]).toMatchObject({ id: "r99" });
  });

  test("gives the scores that the same texts get online", async () => {
    const texts = ["I love this film.", "A waste of time.", "很好吃", "The worst!"];
    const job = await makeJob(await submitJson({ ...FAST, texts, top_k: 0 }));
    await waitFor(job.id);
    const online = await server.classify({ ...FAST, texts, top_k: 0 });
    const { results } = (await online.json()) as { results: { predictions: object[] }[] };
    const expected = results.map(({ predictions }) =>
      predictions.map((one) => ({ ...one, processing_time_ms: undefined })),
    );
    const lines = await readLines(job.id);
    expect(lines.map(({ predictions }) => predictions)).toEqual(
      JSON.parse(JSON.stringify(expected)),
    );
  });

  test("takes NDJSON and CSV, also compressed, with the rest in the query", async () => {
    const query = "?model_version=1.0.0&top_k=2";
    const ndjson = ['"one"', '{"text":"two","id":2}', "broken"].join("\n");
    const csv = 'id,text\na,"one, two"\nb,three\n';
    const jobs = await Promise.all([
      submit(ndjson, "application/x-ndjson", query).then(makeJob),
      submit(csv, "text/csv; charset=utf-8", query).then(makeJob),
      submit(gzipSync(csv), "text/csv", query, { "content-encoding": "gzip" }).then(makeJob),
    ]);
    expect(jobs.map(({ rows }) => rows.total)).toEqual([3, 2, 2]);
    for (const { id } of jobs) await waitFor(id);
    const [first, second, third] = await Promise.all(jobs.map(({ id }) => readLines(id)));
    expect(first?.[2]).toMatchObject({ row: 2, error: { message: "The row is not JSON." } });
    expect(second).toMatchObject([{ id: "a" }, { id: "b" }]);
    expect(second?.[0]?.["predictions"]).toHaveLength(2);
    expect(third).toEqual(second);
  });

  test("gives its results as CSV", async () => {
    const job = await makeJob(
      await submitJson({ ...FAST, rows: [{ text: "fine", id: "a,b" }, ""] }),
    );
    await waitFor(job.id);
    const response = await fetch(at(`/v1/jobs/${job.id}/results?format=csv`));
    expect(response.headers.get("content-type")).toContain("text/csv");
    const rows = parse(await response.text(), { columns: true }) as Record<string, string>[];
    expect(rows).toMatchObject([
      { row: "0", id: "a,b", error_code: "" },
      { row: "1", id: "", label: "", error_code: "invalid_argument" },
    ]);
  });

  test("tells its progress as it goes, until it ends", async () => {
    const texts = Array.from({ length: 200 }, (_, i) => `Text ${i}`);
    const job = await makeJob(await submitJson({ ...FAST, texts }));
    const response = await fetch(at(`/v1/jobs/${job.id}/events`));
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const text = await response.text();
    const events = [...text.matchAll(/^event: (.+)\ndata: (.+)$/gm)];
    expect(events.at(-1)?.[1]).toBe("completed");
    expect(JSON.parse(events.at(-1)?.[2] ?? "")).toMatchObject({ id: job.id, progress: 1 });
    expect(events.slice(0, -1).every(([, name]) => name === "progress")).toBe(true);
  });
});

describe("submitting again", () => {
  test("with the same key and content gives the same job, also at the same time", async () => {
    const headers = { "idempotency-key": "order-1" };
    const body = { ...FAST, texts: ["once"] };
    const first = await makeJob(await submitJson(body, headers));
    const again = await submitJson(body, headers);
    expect(again.status).toBe(200);
    expect(((await again.json()) as WireJob).id).toBe(first.id);

    const key = { "idempotency-key": "order-2" };
    const both = await Promise.all(Array.from({ length: 6 }, () => submitJson(body, key)));
    const statuses = both.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.every((status) => [200, 201, 409].includes(status))).toBe(true);
  });

  test("with the same key and other content is refused", async () => {
    const headers = { "idempotency-key": "order-3" };
    await makeJob(await submitJson({ ...FAST, texts: ["one"] }, headers));
    const other = await submitJson({ ...FAST, texts: ["two"] }, headers);
    expect(other.status).toBe(409);
    expect(await other.json()).toMatchObject({ error: { code: "conflict" } });
  });
});

describe("looking after jobs", () => {
  test("a list has the newest first, page by page", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      ids.unshift((await makeJob(await submitJson({ ...FAST, texts: [`list ${i}`] }))).id);
    }
    const first = await readJson(await fetch(at("/v1/jobs?limit=2")));
    expect(first.jobs.map(({ id }: WireJob) => id)).toEqual(ids.slice(0, 2));
    const second = await readJson(await fetch(at(`/v1/jobs?limit=2&after=${first.next}`)));
    expect(second.jobs[0].id).toBe(ids[2]);
  });

  test("a job is cancelled once, and has no results before it ends", async () => {
    const texts = Array.from({ length: 1500 }, (_, i) => `Slow text ${i} ${"word ".repeat(80)}`);
    const body = { model: "text-classification", model_version: "2.0.0", texts };
    const job = await makeJob(await submitJson(body));
    const early = await fetch(at(`/v1/jobs/${job.id}/results`));
    expect(early.status).toBe(409);
    const post = (action: string) => fetch(at(`/v1/jobs/${job.id}/${action}`), { method: "POST" });
    expect((await post("retry")).status).toBe(409);
    expect((await fetch(at(`/v1/jobs/${job.id}`), { method: "DELETE" })).status).toBe(409);
    expect(await (await post("cancel")).json()).toMatchObject({ state: "cancelled" });
    expect((await post("cancel")).status).toBe(200);
    const { rows } = await find(job.id);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await find(job.id)).rows).toEqual(rows);
    expect(rows.done).toBeLessThan(1500);
    expect((await fetch(at(`/v1/jobs/${job.id}`), { method: "DELETE" })).status).toBe(204);
    expect((await fetch(at(`/v1/jobs/${job.id}`))).status).toBe(404);
  });

  test("a completed job cannot be cancelled; without failed rows it cannot be tried again", async () => {
    const job = await makeJob(await submitJson({ ...FAST, texts: ["fine"] }));
    await waitFor(job.id);
    for (const action of ["cancel", "retry"]) {
      const response = await fetch(at(`/v1/jobs/${job.id}/${action}`), { method: "POST" });
      expect(response.status).toBe(409);
    }
  });

  test("failed rows are tried again, and the others keep their answers", async () => {
    const job = await makeJob(await submitJson({ ...FAST, rows: ["fine", "", "also fine"] }));
    await waitFor(job.id);
    const before = await readLines(job.id);
    const response = await fetch(at(`/v1/jobs/${job.id}/retry`), { method: "POST" });
    expect(await response.json()).toMatchObject({ rows: { total: 3, done: 2, failed: 0 } });
    const ended = await waitFor(job.id);
    expect(ended.rows).toEqual({ total: 3, done: 3, failed: 1 });
    expect(await readLines(job.id)).toEqual(before);
  });

  test("a model that does not exist fails the job with the reason", async () => {
    const job = await makeJob(await submitJson({ model: "none", texts: ["x"] }));
    // It may be loaded yet, so the worker is patient; here the test is not.
    expect((await find(job.id)).state).toMatch(/queued|running/);
    await fetch(at(`/v1/jobs/${job.id}/cancel`), { method: "POST" });
  });
});

describe("what is wrong", () => {
  test.each([
    ["no rows", () => submitJson({ texts: [] }), 400, "texts"],
    ["no body", () => submit("", "application/json"), 400, "body"],
    ["an empty upload", () => submit("\n\n", "application/x-ndjson"), 400, "body"],
    ["CSV without its column", () => submit("a,b\n1,2\n", "text/csv"), 400, "body"],
    ["broken quotes", () => submit('text\n"a\n', "text/csv"), 400, "body"],
    ["broken gzip", () => submit("x", "text/csv", "", { "content-encoding": "gzip" }), 400, "body"],
    [
      "another encoding",
      () => submit("x", "text/csv", "", { "content-encoding": "br" }),
      415,
      "content-encoding",
    ],
    ["another type", () => submit("x", "application/pdf"), 415, "content-type"],
    ["an unknown parameter", () => submit("text\na\n", "text/csv", "?modle=x"), 400, "modle"],
    ["a wrong number", () => submit("text\na\n", "text/csv", "?top_k=x"), 400, "top_k"],
    [
      "a wrong key",
      () => submitJson({ texts: ["a"] }, { "idempotency-key": "a b" }),
      400,
      "idempotency-key",
    ],
    ["a wrong webhook", () => submitJson({ texts: ["a"], webhook_url: "x" }), 400, "webhook_url"],
    ["an unknown format", () => fetch(at("/v1/jobs/job_x/results?format=xml")), 400, "format"],
    ["a wrong limit", () => fetch(at("/v1/jobs?limit=0")), 400, "limit"],
    ["an unknown job", () => fetch(at("/v1/jobs/job_none")), 404, "id"],
  ])("%s is named", async (_what, ask, status, field) => {
    const response = await ask();
    const body = await readJson(response);
    expect({
      status: response.status,
      fields: body.error.details?.map((one: { field: string }) => one.field),
    }).toEqual({
      status,
      fields: [field],
    });
  });

  test("too many rows and too many bytes are refused, and leave no job", async () => {
    const before = await readJson(await fetch(at("/v1/jobs")));
    const rows = await submit('"x"\n'.repeat(2001), "application/x-ndjson");
    expect(rows.status).toBe(413);
    expect(await rows.json()).toMatchObject({
      error: { code: "too_large", message: "A job has at most 2000 rows; split it." },
    });
    const bytes = await submit(`text\n${"x".repeat(100)}\n`.repeat(3000), "text/csv");
    expect(bytes.status).toBe(413);
    const bomb = gzipSync(Buffer.alloc(10_000_000, 0x20));
    const bombed = await submit(bomb, "text/csv", "", { "content-encoding": "gzip" });
    expect(bombed.status).toBe(413);
    expect((await readJson(await fetch(at("/v1/jobs")))).jobs).toEqual(before.jobs);
  });

  test("an upload whose client goes away leaves no job", async () => {
    const before = (await readJson(await fetch(at("/v1/jobs")))).jobs.length;
    await new Promise<void>((resolve) => {
      const upload = httpRequest(at("/v1/jobs"), {
        method: "POST",
        headers: { "content-type": "application/x-ndjson", "idempotency-key": "gone" },
      });
      upload.on("error", () => resolve());
      upload.write('"one"\n'.repeat(40));
      setTimeout(() => upload.destroy(new Error("gone")), 200);
    });
    await expect
      .poll(async () => (await readJson(await fetch(at("/v1/jobs")))).jobs.length)
      .toBe(before);
    // The key is free again.
    const again = await submitJson({ ...FAST, texts: ["again"] }, { "idempotency-key": "gone" });
    expect(again.status).toBe(201);
  });

  test("bytes of any kind get an answer and no server error", async () => {
    for (const type of ["application/json", "application/x-ndjson", "text/csv"]) {
      for (let i = 0; i < 20; i++) {
        const response = await submit(randomBytes(300), type);
        expect([201, 400]).toContain(response.status);
      }
    }
  });
});

describe("jobs are their owners'", () => {
  test("nobody sees, reads, ends or removes the jobs of another", async () => {
    const keys = ["a", "b"].map((id) => {
      const key = `key-of-${id}`.padEnd(40, "x");
      return { id, key };
    });
    const { createHash } = await import("node:crypto");
    const stored = keys.map(({ id, key }) => ({
      id,
      sha256: createHash("sha256").update(key).digest("hex"),
    }));
    const other = await startTestServer({
      "models.directory": MODELS,
      "records.store.driver": "sqlite",
      "records.store.path": join(folder, "owners.db"),
      "auth.keys": JSON.stringify(stored),
      "auth.required": "always",
    });
    try {
      const ask = (key: string, path: string, init: RequestInit = {}) =>
        fetch(new URL(path, other.url), {
          ...init,
          headers: { ...init.headers, authorization: `Bearer ${key}` },
        });
      const [a, b] = keys.map(({ key }) => key) as [string, string];
      const created = await ask(a, "/v1/jobs", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...FAST, texts: ["mine"] }),
      });
      const { id } = (await created.json()) as WireJob;
      for (const [path, method] of [
        [`/v1/jobs/${id}`, "GET"],
        [`/v1/jobs/${id}/results`, "GET"],
        [`/v1/jobs/${id}/events`, "GET"],
        [`/v1/jobs/${id}/cancel`, "POST"],
        [`/v1/jobs/${id}/retry`, "POST"],
        [`/v1/jobs/${id}`, "DELETE"],
      ] as const) {
        expect((await ask(b, path, { method })).status).toBe(404);
      }
      expect(await (await ask(b, "/v1/jobs")).json()).toEqual({ jobs: [], next: null });
      expect((await ask(a, `/v1/jobs/${id}`)).status).toBe(200);
    } finally {
      await other.drain();
    }
  });
});

describe("the store of jobs", () => {
  test("is not made before there is a job", async () => {
    const path = join(folder, "unused", "records.db");
    const quiet = await startTestServer({
      "models.directory": MODELS,
      "records.store.driver": "sqlite",
      "records.store.path": path,
    });
    expect((await quiet.classify({ text: "fine" })).status).toBe(200);
    await quiet.drain();
    expect(existsSync(path)).toBe(false);
  });

  test("that cannot be opened makes jobs fail, and nothing else; with jobs.enabled on, the start", async () => {
    const flags = {
      "models.directory": MODELS,
      "records.store.driver": "sqlite",
      "records.store.path": "/dev/null/records.db",
    };
    const without = await startTestServer(flags);
    expect((await without.classify({ text: "fine" })).status).toBe(200);
    const response = await fetch(new URL("/v1/jobs", without.url));
    expect(response.status).toBe(503);
    expect((await readJson(response)).error.message).toContain("/dev/null/records.db");
    await without.drain();
    await expect(startTestServer({ ...flags, "jobs.enabled": "on" })).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("a job that was under way goes on after a restart", async () => {
    const flags = {
      "models.directory": MODELS,
      "records.store.driver": "sqlite",
      "records.store.path": join(folder, "restart.db"),
      "jobs.chunkRows": "8",
    };
    const before = await startTestServer(flags);
    const texts = Array.from({ length: 400 }, (_, i) => `Text ${i} ${"long ".repeat(100)}`);
    const response = await fetch(new URL("/v1/jobs", before.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model_version: "2.0.0", texts }),
    });
    const { id } = (await response.json()) as WireJob;
    await before.drain();
    const after = await startTestServer(flags);
    try {
      const look = async () => {
        const found = await fetch(new URL(`/v1/jobs/${id}`, after.url));
        return (await found.json()) as WireJob;
      };
      expect((await look()).state).not.toBe("completed");
      await expect.poll(async () => (await look()).state, { timeout: 30_000 }).toBe("completed");
      expect((await look()).rows).toEqual({ total: 400, done: 400, failed: 0 });
    } finally {
      await after.drain();
    }
  });
});
