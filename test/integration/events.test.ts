import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = new URL("../../models", import.meta.url).pathname;
const SECRET = `whsec_${randomBytes(24).toString("base64")}`;
const CALLBACK_SECRET = `whsec_${randomBytes(24).toString("base64")}`;

interface Told {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly kind: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

let folder: string;
let receiver: ScriptedHttpServer;
let server: TestServer;
const told: Told[] = [];
/** Attempts that are answered with 503 before the first success, by path. */
const refusals = new Map<string, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-events-"));
  receiver = await startScriptedHttpServer((request, response, body) => {
    const path = request.url ?? "";
    const left = refusals.get(path) ?? 0;
    refusals.set(path, left - 1);
    if (left > 0) {
      response.writeHead(503).end();
      return;
    }
    const { type, subject, data } = JSON.parse(body.toString());
    const kind = String(type).slice("dev.sluice.".length);
    told.push({ path, headers: request.headers, body: body.toString(), kind, subject, data });
    response.writeHead(204).end();
  });
  const webhooks = [
    { name: "all", url: `${receiver.url}/all`, secrets: [SECRET] },
    { name: "log", url: `${receiver.url}/log`, kinds: ["prediction.logged"] },
  ];
  server = await startTestServer({
    "models.directory": MODELS,
    "records.store.path": join(folder, "records.db"),
    "rateLimit.requests": "0",
    "events.webhooks": JSON.stringify(webhooks),
    "events.callbackSecrets": JSON.stringify([CALLBACK_SECRET]),
    "events.allowPrivateAddresses": "true",
    "events.allowHttp": "true",
    "events.predictionLog": "on",
    "events.pollMs": "20",
    "jobs.sweepMs": "100",
    "jobs.retentionMs": "3000",
  });
});
afterAll(async () => {
  await server.drain();
  await receiver.kill();
  await rm(folder, { recursive: true, force: true });
});

const findTold = (path: string, kind: string, subject?: string) =>
  told.filter(
    (one) =>
      one.path === path && one.kind === kind && (subject === undefined || one.subject === subject),
  );
const waitForTold = async (path: string, kind: string, subject?: string): Promise<Told> => {
  const find = () => findTold(path, kind, subject);
  await expect.poll(() => find().length, { timeout: 15_000 }).toBeGreaterThan(0);
  const [first] = find();
  if (first === undefined) throw new Error("nothing was told");
  return first;
};
const submit = (body: object) =>
  fetch(`${server.url}/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("a job's own address hears of its end, signed, and again after a refusal; the operator's hears everything", async () => {
  refusals.set("/mine", 1);
  const answer = await submit({
    texts: ["fine", "awful", ""],
    webhook_url: `${receiver.url}/mine`,
  });
  expect(answer.status).toBe(201);
  const { id } = (await answer.json()) as { id: string };
  const subject = `jobs/${id}`;
  const { headers, body, data } = await waitForTold("/mine", "job.completed", subject);
  expect(data).toMatchObject({ job_id: id, total_rows: 3, done_rows: 3, failed_rows: 1 });
  const flat = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, `${value}`]));
  expect(new Webhook(CALLBACK_SECRET).verify(body, flat)).toMatchObject({ subject });
  expect(() => new Webhook(SECRET).verify(body, flat)).toThrow();

  await waitForTold("/all", "job.created", subject);
  await waitForTold("/all", "job.completed", subject);
  await waitForTold("/all", "job.expired", subject);
  for (const kind of ["job.created", "job.completed", "job.expired"]) {
    expect(findTold("/all", kind, subject)).toHaveLength(1);
  }
  expect(findTold("/log", "job.completed")).toEqual([]);
}, 40_000);

test("models that came are told", async () => {
  const { data } = await waitForTold("/all", "model.ready");
  expect(data).toEqual({ model: "text-classification", version: expect.any(String) });
});

test("answers are told to those who ask for them, without the text", async () => {
  const answer = await server.classify(
    { text: "quite a private opinion" },
    { "x-request-id": "order-7" },
  );
  const { request_id, predictions } = (await answer.json()) as {
    request_id: string;
    predictions: readonly { label: string; confidence: number }[];
  };
  const { label } = predictions[0] ?? {};
  const logged = await waitForTold("/log", "prediction.logged", `requests/${request_id}`);
  expect(logged.data).toMatchObject({ request_id, label, version: expect.any(String) });
  expect(logged.data["confidence"]).toBeCloseTo(predictions[0]?.confidence ?? -1, 3);
  expect(logged.body).not.toContain("private");
  expect(findTold("/all", "prediction.logged")).toEqual([]);
});

test("answers that are not told because too many wait are counted", async () => {
  const small = await startTestServer({
    "models.directory": MODELS,
    "records.store.path": join(folder, "small.db"),
    "events.webhooks": JSON.stringify([
      { name: "log", url: `${receiver.url}/small`, kinds: ["prediction.logged"] },
    ]),
    "events.predictionLog": "on",
    "events.predictionBuffer": "1",
  });
  const count = async () => {
    const page = await (await fetch(`${small.url}/metrics`)).text();
    return /^sluice_prediction_events_dropped_total (\d+)$/m.exec(page)?.[1];
  };
  expect(await count()).toBe("0");
  await small.classify({ texts: ["one", "two", "three", "four"] });
  expect(await count()).toBe("3");
  await small.drain();
});

test("an address that nothing may be sent to is refused with the job", async () => {
  const strict = await startTestServer({
    "models.directory": MODELS,
    "records.store.path": join(folder, "strict.db"),
  });
  for (const url of ["http://example.org/", "https://127.0.0.1/x", "https://[::1]/x"]) {
    const answer = await fetch(`${strict.url}/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ texts: ["fine"], webhook_url: url }),
    });
    expect(answer.status, url).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain("webhook_url");
  }
  await strict.drain();
});

test("what could not be delivered before the end is delivered after the start", async () => {
  const path = join(folder, "again.db");
  const late = `${receiver.url}/late`;
  const settings = {
    "models.directory": MODELS,
    "records.store.path": path,
    "events.allowPrivateAddresses": "true",
    "events.allowHttp": "true",
    "events.pollMs": "20",
  };
  refusals.set("/late", 1_000_000);
  const before = await startTestServer(settings);
  const answer = await fetch(`${before.url}/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ texts: ["fine"], webhook_url: late }),
  });
  const { id } = (await answer.json()) as { id: string };
  await expect.poll(() => refusals.get("/late"), { timeout: 10_000 }).toBeLessThan(1_000_000);
  await before.drain();
  refusals.set("/late", 0);
  const after = await startTestServer(settings);
  await waitForTold("/late", "job.completed", `jobs/${id}`);
  await after.drain();
}, 60_000);
