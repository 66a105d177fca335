import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { afterEach, expect, test } from "vitest";
import type { WebhookOptions } from "../../src/stores/events/webhook.ts";
import { createWebhookDestination, parseRetryAfter } from "../../src/stores/events/webhook.ts";
import { toSampleEvent } from "../support/sample-event.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const OLD = `whsec_${randomBytes(24).toString("base64")}`;
const NEW = `whsec_${randomBytes(32).toString("base64")}`;
const EVENT = toSampleEvent("job_1-created");

let server: ScriptedHttpServer | undefined;
afterEach(() => server?.kill());

async function start(answer: (response: ServerResponse) => void) {
  const received: Received[] = [];
  server = await startScriptedHttpServer((request, response, body) => {
    received.push({ headers: request.headers, body: body.toString() });
    answer(response);
  });
  return { received, url: `${server.url}/hook`, server };
}

const connect = (url: string, more: Partial<WebhookOptions> = {}) =>
  createWebhookDestination({
    ...{ url, secrets: [OLD, NEW], timeoutMs: 1000, epochMs: Date.now },
    ...{ allowPrivateAddresses: true, allowHttp: true },
    ...more,
  });

const answerWith =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end("thanks");

test("the official packages verify the signature with the old secret and the new one, and read the event", async () => {
  const { received, url } = await start(answerWith(204));
  expect(await connect(url).send(EVENT, 1)).toEqual({ kind: "delivered" });
  const [{ headers, body } = { headers: {}, body: "" }] = received;
  const flat = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, `${value}`]));
  for (const secret of [OLD, NEW]) {
    expect(new Webhook(secret).verify(body, flat)).toEqual(EVENT);
  }
  const other = `whsec_${randomBytes(24).toString("base64")}`;
  expect(() => new Webhook(other).verify(body, flat)).toThrow();
  expect(() => new Webhook(OLD).verify(body.replace("job_1", "job_2"), flat)).toThrow();
  const event = HTTP.toEvent({ headers, body });
  if (!(event instanceof CloudEvent)) throw new Error("one event was expected");
  expect(event.validate()).toBe(true);
  expect(event.toJSON()).toEqual(EVENT);
  expect(headers["webhook-id"]).toBe(EVENT.id);
});

test("without secrets nothing is signed", async () => {
  const { received, url } = await start(answerWith(200));
  await connect(url, { secrets: [] }).send(EVENT, 1);
  expect(received[0]?.headers["webhook-signature"]).toBeUndefined();
});

test.each([200, 201, 202, 204, 299])("%i is success", async (status) => {
  const { url } = await start(answerWith(status));
  expect(await connect(url).send(EVENT, 1)).toEqual({ kind: "delivered" });
});

test.each([400, 401, 404, 500, 502])("%i is tried again", async (status) => {
  const { url } = await start(answerWith(status, { "retry-after": "5" }));
  expect(await connect(url).send(EVENT, 1)).toEqual({
    ...{ kind: "failed", isFinal: false, retryAfterMs: undefined },
    reason: `the receiver answered ${status}`,
  });
});

test.each([429, 503])("%i is tried again when the receiver wants it", async (status) => {
  const { url } = await start(answerWith(status, { "retry-after": "7" }));
  expect(await connect(url).send(EVENT, 1)).toMatchObject({ isFinal: false, retryAfterMs: 7000 });
});

test("410 is final", async () => {
  const { url } = await start(answerWith(410));
  expect(await connect(url).send(EVENT, 1)).toMatchObject({ kind: "failed", isFinal: true });
});

test("a redirect is a failure and is not followed", async () => {
  let requests = 0;
  const target = await startScriptedHttpServer((_request, response) => {
    requests++;
    response.end();
  });
  const { url } = await start(answerWith(307, { location: target.url }));
  const outcome = await connect(url).send(EVENT, 1);
  expect(outcome).toMatchObject({ kind: "failed", isFinal: false });
  expect(requests).toBe(0);
  await target.kill();
});

test("an answer that never ends, or is huge, counts by its status and is not read", async () => {
  let written = 0;
  const { url } = await start((response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(65_536);
    const write = () => {
      while (!response.destroyed && written < 1e9) {
        written += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", write);
      }
    };
    write();
  });
  expect(await connect(url).send(EVENT, 1)).toEqual({ kind: "delivered" });
  expect(written).toBeLessThan(50_000_000);
});

test("an answer whose body stops counts by its status when the time is over", async () => {
  const { url } = await start((response) => {
    response.writeHead(500).write("a");
  });
  const outcome = await connect(url, { timeoutMs: 200 }).send(EVENT, 1);
  expect(outcome).toMatchObject({ reason: "the receiver answered 500" });
});

test("a receiver that does not answer is given up in time", async () => {
  const { url } = await start(() => {});
  const outcome = await connect(url, { timeoutMs: 200 }).send(EVENT, 1);
  expect(outcome).toMatchObject({ reason: "no answer in 200 ms", isFinal: false });
});

test("a receiver that is down, or breaks off, or speaks no HTTP is a failure", async () => {
  const { url, server } = await start((response) => response.destroy());
  const hook = connect(url);
  expect(await hook.send(EVENT, 1)).toMatchObject({ reason: "no connection (ECONNRESET)" });
  await server.kill();
  expect(await hook.send(EVENT, 1)).toMatchObject({ reason: "no connection (ECONNREFUSED)" });
  const raw = createServer((socket) => socket.end("hello\r\n\r\n")).listen(0, "127.0.0.1");
  await new Promise((resolve) => raw.once("listening", resolve));
  const { port } = raw.address() as AddressInfo;
  const outcome = await connect(`http://127.0.0.1:${port}/`).send(EVENT, 1);
  expect(outcome).toMatchObject({ kind: "failed", isFinal: false });
  raw.close();
});

test("a name that leads to this machine is refused when it is resolved, and nothing is sent", async () => {
  const { received, server } = await start(answerWith(200));
  const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
  const hook = connect(`http://rebound.example:${server.port}/`, {
    allowPrivateAddresses: false,
    resolve,
  });
  expect(await hook.send(EVENT, 1)).toMatchObject({ kind: "failed", isFinal: true });
  expect(received).toEqual([]);
});

test("the connection goes to the address that was checked, whatever the name means a moment later", async () => {
  const { received, server } = await start(answerWith(200));
  let asked = 0;
  const resolve = async () => {
    asked++;
    return [{ address: asked === 1 ? "127.0.0.1" : "192.0.2.1", family: 4 }];
  };
  const hook = connect(`http://rebound.example:${server.port}/`, { resolve });
  expect(await hook.send(EVENT, 1)).toEqual({ kind: "delivered" });
  expect(asked).toBe(1);
  expect(received[0]?.headers.host).toBe(`rebound.example:${server.port}`);
});

test("close ends what is under way", async () => {
  const { url } = await start(() => {});
  const hook = connect(url, { timeoutMs: 60_000 });
  const sending = hook.send(EVENT, 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await hook.close();
  expect(await sending).toMatchObject({ reason: "the server is stopping", isFinal: false });
  await hook.close();
});

test.each(["whsec_", "whsec_abc", "secret", `whsec_${"!".repeat(32)}`])(
  "%s is no secret",
  (secret) => {
    expect(() => connect("http://127.0.0.1/", { secrets: [secret] })).toThrow("whsec_");
  },
);

test("Retry-After is seconds or a date, and nothing else", () => {
  const nowMs = Date.parse("2026-01-01T00:00:00Z");
  expect(parseRetryAfter("120", nowMs)).toBe(120_000);
  expect(parseRetryAfter("Thu, 01 Jan 2026 00:01:00 GMT", nowMs)).toBe(60_000);
  expect(parseRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", nowMs)).toBe(0);
  for (const text of [undefined, "", "-1", "1.5", "soon", "2026-01-01", "99999999999999"]) {
    expect(parseRetryAfter(text, nowMs)).toBeUndefined();
  }
});
