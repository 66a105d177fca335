import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { Ajv2020 } from "ajv/dist/2020.js";
import { CloudEvent as OfficialEvent } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ReleaseServer } from "../support/release-server.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

const SCHEMA = new URL("../../docs/reference/events/release.changed.json", import.meta.url);
const SECRET = `whsec_${randomBytes(24).toString("base64")}`;

interface Told {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let bench: ReleaseServer;
let receiver: ScriptedHttpServer;
let told: Told[];
beforeEach(async () => {
  told = [];
  bench = await ReleaseServer.create();
  receiver = await startScriptedHttpServer((request, response, body) => {
    told.push({ headers: request.headers, body: body.toString() });
    response.writeHead(204).end();
  });
});
afterEach(async () => {
  await bench.close();
  await receiver.kill();
});

const start = () =>
  bench.start({
    "events.webhooks": JSON.stringify([
      { name: "watch", url: `${receiver.url}/`, kinds: ["release.changed"], secrets: [SECRET] },
    ]),
    "events.allowPrivateAddresses": "true",
    "events.allowHttp": "true",
    "events.pollMs": "20",
  });

interface ReleaseData {
  readonly from_version: string;
  readonly to_version: string;
  readonly share: number;
  readonly reason: string;
}

/** Every delivery is signed, a CloudEvent, and holds data that the documented schema allows. @returns by the order of time */
async function readTold(count: number): Promise<ReleaseData[]> {
  await expect.poll(() => told.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count);
  const schema = JSON.parse(await readFile(SCHEMA, "utf8"));
  const validate = new Ajv2020({ strict: true }).compile(schema);
  const events = told.map(({ headers, body }) => {
    const flat = Object.fromEntries(Object.entries(headers).map(([key, text]) => [key, `${text}`]));
    new Webhook(SECRET).verify(body, flat);
    expect(flat["content-type"]).toContain("application/cloudevents+json");
    const event = new OfficialEvent<ReleaseData>(JSON.parse(body), true);
    expect(event).toMatchObject({
      type: "dev.sluice.release.changed",
      subject: "models/text-classification",
      dataschema: schema.$id,
    });
    expect(validate(event.data), JSON.stringify(validate.errors)).toBe(true);
    return event;
  });
  expect(new Set(events.map(({ id }) => id)).size).toBe(count);
  const inOrder = events.toSorted((one, other) => (`${one.time}` < `${other.time}` ? -1 : 1));
  return inOrder.map(({ data }) => data as ReleaseData);
}

const toLine = ({ from_version: from, to_version: to, share }: ReleaseData) =>
  `${from} to ${to} ${share}`;

test("a webhook hears of every move of a release that succeeds, each as a CloudEvent", {
  timeout: 60_000,
}, async () => {
  await bench.addVersion("1.0.0", "1.1.0");
  await start();
  const { id } = await bench.release();
  const [ended] = await bench.callUntil(id);
  expect(ended.phase).toBe("succeeded");
  expect((await readTold(5)).map(toLine)).toEqual([
    ...["1.0.0 to 1.1.0 0", "1.0.0 to 1.1.0 0.3", "1.0.0 to 1.1.0 0.6"],
    ...["1.0.0 to 1.1.0 1", "1.0.0 to 1.1.0 1"],
  ]);
});

test("a webhook hears why a release goes back, and where its requests go", {
  timeout: 60_000,
}, async () => {
  await bench.addVersion("1.0.0", "1.1.0", { labels: ["positive", "negative"] });
  await start();
  const { id } = await bench.release();
  const [ended] = await bench.callUntil(id);
  expect(ended.phase).toBe("failed");
  const events = await readTold(4);
  expect(events.map(toLine)).toEqual([
    ...["1.0.0 to 1.1.0 0", "1.0.0 to 1.1.0 0.3"],
    ...["1.1.0 to 1.0.0 1", "1.1.0 to 1.0.0 1"],
  ]);
  expect(events[2]?.reason).toContain("disagreement");
});
