import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = new URL("../../models", import.meta.url).pathname;
const MAIN = fileURLToPath(new URL("../../bin/sluice.mjs", import.meta.url));
const FAST = { model: "text-classification", model_version: "1.0.0" };
const MAX_BYTES = 200_000;

interface WireJob {
  readonly id: string;
  readonly state: string;
  readonly rows: { readonly total: number; readonly done: number; readonly failed: number };
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

let folder: string;
let files: ScriptedHttpServer;
let server: TestServer;
/** What the other server says, by path. */
const answers = new Map<string, Answer>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-sources-"));
  files = await startScriptedHttpServer((request, response) => {
    const answer = answers.get(request.url ?? "");
    if (answer === undefined) response.writeHead(404).end("nothing here");
    else answer(response, request);
  });
  server = await startTestServer(settings("records.db"));
});
afterAll(async () => {
  await server.drain();
  await files.kill();
  await rm(folder, { recursive: true, force: true });
});

function settings(records: string): Record<string, string> {
  return {
    "models.directory": MODELS,
    "records.store.path": join(folder, records),
    "rateLimit.requests": "0",
    "jobs.chunkRows": "16",
    "jobs.maxUploadBytes": String(MAX_BYTES),
    "jobs.maxRows": "2000",
    "jobs.sources.allowedHosts": '["127.0.0.1","localhost"]',
    "jobs.sources.allowHttp": "true",
    "jobs.sources.allowPrivateAddresses": "true",
    "jobs.sources.timeoutMs": "300",
  };
}

/** Puts something at a path and returns its address. */
function serve(path: string, answer: Answer): string {
  answers.set(path, answer);
  return `${files.url}${path}`;
}

const give =
  (body: string | Uint8Array, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(200, headers).end(body);

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any form
const readJson = async (response: Response): Promise<any> => await response.json();
const submit = (source: unknown, more: object = FAST, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ ...more, source }),
  });
const listJobs = async () => (await readJson(await fetch(`${server.url}/v1/jobs`))).jobs;

async function readResults(answer: Response): Promise<Record<string, unknown>[]> {
  expect(answer.status, await answer.clone().text()).toBe(201);
  const { id } = (await answer.json()) as WireJob;
  const find = async () => (await readJson(await fetch(`${server.url}/v1/jobs/${id}`))).state;
  await expect.poll(find, { timeout: 20_000 }).toBe("completed");
  const text = await (await fetch(`${server.url}/v1/jobs/${id}/results`)).text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const CSV = 'key,review\na,"fine, really"\nb,awful\n';
const COLUMNS = { text_column: "review", id_column: "key" };

test("CSV is fetched, with its columns, and answered as an upload is", async () => {
  const url = serve(
    "/reviews?signature=1",
    give(CSV, { "content-type": "text/csv; header=present" }),
  );
  const lines = await readResults(await submit({ url, ...COLUMNS }));
  expect(lines).toMatchObject([
    { row: 0, id: "a", model_version: "1.0.0" },
    { row: 1, id: "b" },
  ]);
  const uploaded = await fetch(
    `${server.url}/v1/jobs?model_version=1.0.0&text_column=review&id_column=key`,
    { method: "POST", headers: { "content-type": "text/csv" }, body: CSV },
  );
  expect(lines).toEqual(await readResults(uploaded));
});

test("NDJSON is fetched; the type decides, then the end of the address, and what the caller says before both", async () => {
  const rows = '"one"\n{"text":"two","id":2}\nbroken\n';
  const typed = serve("/a.csv", give(rows, { "content-type": "application/x-ndjson" }));
  const named = serve("/a.jsonl", give(rows, { "content-type": "application/octet-stream" }));
  const told = serve("/b.csv", give(rows, { "content-type": "text/csv" }));
  for (const source of [{ url: typed }, { url: named }, { url: told, format: "ndjson" }]) {
    const lines = await readResults(await submit(source));
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatchObject({ id: "2", model_version: "1.0.0" });
    expect(lines[2]).toMatchObject({ error: { message: "The row is not JSON." } });
  }
});

test("gzip is undone and a redirect is followed", async () => {
  const whole = give(gzipSync(CSV), { "content-encoding": "gzip" });
  const target = serve("/reviews.csv", whole);
  const url = serve(
    "/moved.csv",
    (response) => void response.writeHead(302, { location: target }).end(),
  );
  const lines = await readResults(await submit({ url, ...COLUMNS }));
  expect(lines.map(({ id }) => id)).toEqual(["a", "b"]);
});

const endless: Answer = (response) => {
  const piece = `${'"text"\n'.repeat(10)}`;
  const write = () => {
    while (!response.destroyed) {
      if (!response.write(piece)) return void response.once("drain", write);
    }
  };
  write();
};

/** What another server may do, and what the caller hears: status, field, part of the message. */
const FAULTS: readonly (readonly [string, string, Answer, number, string, string])[] = [
  ["404", "/none.csv", (r) => void r.writeHead(404).end("secret"), 400, "source.url", "status 404"],
  ["500", "/down.csv", (r) => void r.writeHead(500).end("secret"), 503, "source.url", "status 500"],
  [
    "a redirect to a host that is not allowed",
    "/away.csv",
    (r) => void r.writeHead(302, { location: "http://secret.test/" }).end(),
    ...([403, "source.url", "redirects to an address that names a host"] as const),
  ],
  ["an endless body", "/endless.ndjson", endless, 413, "", ""],
  [
    "silence",
    "/silent.ndjson",
    (r) => void r.writeHead(200).write('"one"\n'.repeat(40)),
    ...([503, "source.url", "silent for 300 ms"] as const),
  ],
  [
    "a body that is cut off",
    "/cut.ndjson",
    (r) => {
      r.writeHead(200, { "content-length": "10000" }).write('"one"\n'.repeat(40));
      setTimeout(() => r.destroy(), 50);
    },
    ...([503, "source.url", "broke off before all of it had come"] as const),
  ],
  [
    "gzip that is cut off",
    "/cut.csv",
    give(gzipSync("text\n".repeat(1000)).subarray(0, -9), { "content-encoding": "gzip" }),
    ...([400, "source.url", "gzip that is broken"] as const),
  ],
  ["no rows", "/empty.csv", give("text\n"), 400, "source.url", "leads to no rows"],
  [
    "CSV without its column",
    "/other.csv",
    give("secret,b\n1,2\n"),
    400,
    "source.url",
    "source.text_column",
  ],
  [
    "broken CSV",
    "/broken.csv",
    give('text\n"a\n'),
    400,
    "source.url",
    "source.url is not valid CSV near line",
  ],
  ["an unknown format", "/rows", give("a"), 400, "source.format", "Content-Type"],
];

test.each(FAULTS)(
  "%s is told and leaves no job",
  async (_what, path, answer, status, field, part) => {
    const before = await listJobs();
    const response = await submit({ url: serve(path, answer) });
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status });
    const { error } = JSON.parse(text);
    if (field !== "") expect(error.details).toMatchObject([{ field }]);
    expect(error.message).toContain(part);
    expect(text).not.toContain("secret");
    expect(await listJobs()).toEqual(before);
  },
);

test("a caller who goes away ends the fetching, and leaves no job", async () => {
  const before = await listJobs();
  let closed = false;
  let asked = false;
  const url = serve("/slow.ndjson", (response) => {
    asked = true;
    const timer = setInterval(() => response.write('"row"\n'), 50);
    response.on("close", () => {
      clearInterval(timer);
      closed = true;
    });
  });
  const request = httpRequest(`${server.url}/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  request.on("error", () => {});
  request.end(JSON.stringify({ ...FAST, source: { url } }));
  await expect.poll(() => asked, { timeout: 5000 }).toBe(true);
  expect(await listJobs()).toHaveLength(before.length + 1);
  request.destroy();
  await expect.poll(() => closed, { timeout: 5000 }).toBe(true);
  await expect.poll(listJobs).toEqual(before);
});

test.each([
  ["of an unknown format", "/whatever", 400],
  ["with too many rows", "/many.ndjson", 413],
])("the connection to a source %s is closed at once", async (_what, path, status) => {
  let closed = false;
  const url = serve(path, (response) => {
    response.on("close", () => {
      closed = true;
    });
    // The rest never comes, and nothing more is waited for.
    response.writeHead(200).write("1\n".repeat(2001));
  });
  expect((await submit({ url })).status).toBe(status);
  await expect.poll(() => closed).toBe(true);
});

test("under an idempotency key the same content is the same job, and another a conflict", async () => {
  const headers = { "idempotency-key": "nightly" };
  const url = serve("/nightly.csv", give("text\nfine\n"));
  const first = await submit({ url }, FAST, headers);
  expect(first.status).toBe(201);
  const { id } = await readJson(first);
  const again = await submit({ url }, FAST, headers);
  expect(again.status).toBe(200);
  expect((await readJson(again)).id).toBe(id);
  expect((await submit({ url, format: "csv" }, FAST, headers)).status).toBe(409);
  serve("/nightly.csv", give("text\nother\n"));
  expect((await submit({ url }, FAST, headers)).status).toBe(409);
});

test("an address, which may carry a signature, appears in no answer and no log", async () => {
  const source = (path: string) => ({
    url: serve(`${path}?signature=hidden`, give("text\nfine\n")),
  });
  const answered = await submit(source("/signed.csv"));
  serve("/signed.csv?signature=hidden", (response) => void response.destroy());
  const broken = await submit({ url: `${files.url}/signed.csv?signature=hidden` });
  const missing = await submit({ url: `${files.url}/unsigned.csv?signature=hidden` });
  const refused = await submit({ url: "http://example.org/?signature=hidden" });
  const all = [answered, broken, missing, refused];
  expect(all.map(({ status }) => status)).toEqual([201, 503, 400, 403]);
  const texts = await Promise.all(all.map((one) => one.text()));
  const log = server.log.map(({ message, fields }) => [message, inspect(fields, { depth: 9 })]);
  expect(log.length).toBeGreaterThan(0);
  expect(`${texts.join()}${log.join()}`).not.toContain("hidden");
});

test("wrong fields are named, and nobody is asked", async () => {
  const asked = files.requests;
  const url = `${files.url}/x.csv`;
  const cases = [
    [{ source: { url }, texts: ["a"] }, 400, "source"],
    [{ source: { url, format: "xml" } }, 400, "source.format"],
    [{ source: { url: "x" } }, 400, "source.url"],
    [{ source: { url: url.replace("//", "//a:b@") } }, 400, "source.url"],
    [{ source: { url: "http://example.org/" } }, 403, "source.url"],
  ] as const;
  for (const [body, status, field] of cases) {
    const response = await submit(body.source, body);
    expect(response.status).toBe(status);
    expect((await readJson(response)).error.details).toMatchObject([{ field }]);
  }
  expect(files.requests).toBe(asked);
});

test.each([
  ["jobs.sources.allowedHosts", "[]", "jobs.sources.allowedHosts names no host"],
  ["jobs.sources.allowHttp", "false", "jobs.sources.allowHttp"],
  ["jobs.sources.allowPrivateAddresses", "false", "jobs.sources.allowPrivateAddresses"],
])("with %s at %s it is refused, and the setting is named", async (setting, value, message) => {
  const asked = files.requests;
  const strict = await startTestServer({ ...settings(`${setting}.db`), [setting]: value });
  // The name is one for this machine, which is only known once it is resolved.
  for (const name of ["127.0.0.1", "localhost"]) {
    const response = await fetch(`${strict.url}/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ source: { url: `http://${name}:${files.port}/reviews.csv` } }),
    });
    expect(response.status).toBe(403);
    const { error } = await readJson(response);
    expect(error).toMatchObject({ code: "permission_denied", details: [{ field: "source.url" }] });
    expect(error.message).toContain(message);
    // What is known to be wrong without asking anybody opens no store.
    if (name === "127.0.0.1") expect(existsSync(join(folder, `${setting}.db`))).toBe(false);
  }
  await strict.drain();
  expect(files.requests).toBe(asked);
});

test("the command sends an address instead of a file", async () => {
  const url = serve("/command", give(CSV));
  const words = ["jobs", "submit", url, "--url", server.url, "--format", "csv", "--wait"];
  const more = ["--text-column", "review", "--id-column", "key", "--model-version", "1.0.0"];
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, [MAIN, ...words, ...more, "--top-k", "0"]);
  expect(stderr).toContain("completed, 2 rows");
  const lines = stdout.trimEnd().split("\n");
  const [first, second] = lines.map((line) => JSON.parse(line));
  expect(first).toMatchObject({ id: "a", predictions: [{}, {}] });
  expect(second).toMatchObject({ id: "b" });
  const refused = run(process.execPath, [
    MAIN,
    "jobs",
    "submit",
    `${url}/none`,
    "--url",
    server.url,
  ]);
  await expect(refused).rejects.toMatchObject({ stderr: expect.stringContaining("status 404") });
}, 30_000);
