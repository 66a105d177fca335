import { hash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import type { Metadata } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { GRPCInferenceService } from "../../src/generated/open_inference_pb.ts";
import { DataType, TensorProtoSchema } from "../../src/generated/tensorflow_pb.ts";
import { PredictionService } from "../../src/generated/tensorflow_serving_pb.ts";
import { GrpcClient } from "../support/grpc-client.ts";
import { ReleaseServer } from "../support/release-server.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODEL = "text-classification";
const OWNER = "Bearer slc_owner-of-faults";
const READER = "Bearer slc_reader-of-faults";
const ALL = { everything: true };

interface Audited {
  readonly type: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, string>>;
}

let bench: ReleaseServer;
let server: TestServer;
let client: GrpcClient;
let receiver: ScriptedHttpServer;
const audits: Audited[] = [];
beforeAll(async () => {
  receiver = await startScriptedHttpServer((_request, response, body) => {
    audits.push(JSON.parse(body.toString()));
    response.writeHead(204).end();
  });
  bench = await ReleaseServer.create();
  await bench.addVersion("1.0.0", "1.1.0");
  const keys = ["owner", "reader"].map((id) => {
    const sha256 = hash("sha256", `slc_${id}-of-faults`);
    return { id, sha256 };
  });
  server = await bench.start({
    "faults.enabled": "on",
    "grpc.listen": "on",
    "grpc.port": "0",
    "models.control": "explicit",
    "auth.keys": JSON.stringify(keys),
    "faults.operators": JSON.stringify(["owner"]),
    "events.webhooks": JSON.stringify([
      { name: "audit", url: `${receiver.url}/audit`, kinds: ["audit.recorded"] },
    ]),
    "events.allowPrivateAddresses": "true",
    "events.allowHttp": "true",
    "events.pollMs": "20",
  });
  client = new GrpcClient(server.grpcAddress ?? "");
}, 60_000);
afterAll(async () => {
  client.close();
  await bench.close();
  await receiver.kill();
});
afterEach(async () => {
  const { faults } = (await (await send("GET", "/v1/faults")).json()) as {
    faults: { name: string }[];
  };
  for (const { name } of faults) await send("DELETE", `/v1/faults/${name}`);
});

function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { authorization: OWNER },
): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function set(name: string, rule: object): Promise<void> {
  const answer = await send("PUT", `/v1/faults/${name}`, { ttl: "1m", ...rule });
  expect(answer.status, await answer.clone().text()).toBe(200);
}

const always = { percentage: { value: 100 } };
const classify = (body: object = {}, headers: Record<string, string> = {}) =>
  send("POST", "/classify", { text: "A good film.", ...body }, headers);

/** A request of every dialect of HTTP. */
const HTTP_WAYS: readonly (readonly [path: string, body: object])[] = [
  ["/classify", { text: "one" }],
  ["/v1/predictions", { model: MODEL, inputs: ["one"] }],
  ["/", { inputs: "one" }],
  ["/predict", { inputs: "one" }],
  ["/invocations", { inputs: ["one"] }],
  [`/v1/models/${MODEL}:predict`, { instances: ["one"] }],
  [`/v1/models/${MODEL}:classify`, { examples: [{ text: "one" }] }],
  [
    `/v2/models/${MODEL}/infer`,
    { inputs: [{ name: "text", shape: [1], datatype: "BYTES", data: ["one"] }] },
  ],
  ["/v1/moderations", { input: "one" }],
];
const text = { name: "text", datatype: "BYTES", shape: [1n] };
const inferRequest = {
  modelName: MODEL,
  inputs: [{ ...text, contents: { bytesContents: [Buffer.from("one")] } }],
};

describe("an abort", () => {
  test.each(HTTP_WAYS)(
    "has its status in the words of %s, and says its name",
    async (path, body) => {
      const fine = await send("POST", path, body);
      expect(fine.status, await fine.clone().text()).toBe(200);
      expect(fine.headers.has("x-sluice-fault")).toBe(false);
      await set("teapot", { match: { model: MODEL }, abort: { ...always, httpStatus: 418 } });
      const answer = await send("POST", path, body);
      expect(answer.status).toBe(418);
      expect(answer.headers.get("x-sluice-fault")).toBe("teapot");
      expect(await answer.text()).toContain("The fault teapot aborted this request on purpose.");
    },
  );

  test("has its status over gRPC, in both services", async () => {
    const predict = {
      modelSpec: { name: MODEL },
      inputs: {
        text: create(TensorProtoSchema, {
          dtype: DataType.DT_STRING,
          tensorShape: { dim: [{ size: 1n }] },
          stringVal: [Buffer.from("one")],
        }),
      },
    };
    const ways = [
      () => client.call(GRPCInferenceService.method.modelInfer, inferRequest),
      () => client.call(PredictionService.method.predict, predict),
    ];
    for (const ask of ways) await ask();
    await set("lost", { match: ALL, abort: { ...always, grpcStatus: "DATA_LOSS" } });
    for (const ask of ways) {
      const failure = (await ask().catch((thrown: unknown) => thrown)) as {
        code: number;
        metadata: Metadata;
      };
      expect(failure.code).toBe(status.DATA_LOSS);
      expect(failure.metadata.get("x-sluice-fault")).toEqual(["lost"]);
    }
    expect((await classify()).status).toBe(502);
  });

  test("touches only what it names", async () => {
    await set("by-key", { match: { key: "reader" }, abort: { ...always, httpStatus: 503 } });
    expect((await classify({}, { authorization: READER })).status).toBe(503);
    expect((await classify({}, { authorization: OWNER })).status).toBe(200);
    await send("DELETE", "/v1/faults/by-key");
    const headers = { "x-tenant": { prefix: "test-" } };
    await set("by-header", { match: { headers }, abort: { ...always, httpStatus: 500 } });
    expect((await classify({}, { "x-tenant": "test-7" })).status).toBe(500);
    expect((await classify({}, { "x-tenant": "prod-7" })).status).toBe(200);
    await send("DELETE", "/v1/faults/by-header");
    await set("by-version", {
      match: { model: MODEL, version: "1.1.0" },
      abort: { ...always, httpStatus: 503 },
    });
    expect((await classify({ model_version: "1.1.0" })).status).toBe(503);
    expect((await classify()).status).toBe(200);
    const label = await send("PUT", `/models/${MODEL}/labels/next`, { version: "1.1.0" });
    expect(label.status).toBe(200);
    expect((await classify({ model_version: "next" })).status).toBe(503);
  });

  test("comes to its share", async () => {
    await set("a-third", { match: ALL, abort: { percentage: { value: 33.3 }, httpStatus: 503 } });
    let aborted = 0;
    for (let i = 0; i < 300; i++) aborted += (await classify()).status === 503 ? 1 : 0;
    // 100 are expected; five standard deviations are 41.
    expect(aborted).toBeGreaterThan(59);
    expect(aborted).toBeLessThan(141);
  });
});

describe("a delay", () => {
  test("makes the answer late and leaves it right", async () => {
    await set("slow", { match: ALL, delay: { ...always, fixedDelay: "300ms" } });
    const startedMs = performance.now();
    const answer = await classify();
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(299);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-sluice-fault")).toBe("slow");
  });

  test("ends with the deadline", async () => {
    await set("too-slow", { match: ALL, delay: { ...always, fixedDelay: "5m" } });
    const startedMs = performance.now();
    const answer = await classify({}, { "x-request-timeout-ms": "200" });
    expect(answer.status).toBe(504);
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  test("comes before an abort of the same rule", async () => {
    const abort = { ...always, httpStatus: 503 };
    await set("both", { match: ALL, delay: { ...always, fixedDelay: "200ms" }, abort });
    const startedMs = performance.now();
    expect((await classify()).status).toBe(503);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(199);
  });
});

describe("rules", () => {
  test("are listed, shown, replaced in their place, and removed", async () => {
    await set("first", { match: ALL, abort: { ...always, httpStatus: 500 } });
    await set("second", { match: ALL, abort: { ...always, httpStatus: 501 } });
    await set("first", { match: { model: "other" }, abort: { ...always, httpStatus: 502 } });
    const { faults } = (await (await send("GET", "/v1/faults")).json()) as { faults: object[] };
    expect(faults).toMatchObject([
      { name: "first", match: { model: "other" }, abort: { httpStatus: 502 } },
      { name: "second" },
    ]);
    expect((await classify()).status).toBe(501);
    expect((await send("DELETE", "/v1/faults/second")).status).toBe(204);
    expect((await send("GET", "/v1/faults/second")).status).toBe(404);
    expect((await classify()).status).toBe(200);
  });

  test("that were forgotten end by themselves, and every change is audited", async () => {
    await set("brief", { match: ALL, ttl: "400ms", abort: { ...always, httpStatus: 503 } });
    expect((await classify()).status).toBe(503);
    await expect.poll(async () => (await classify()).status, { timeout: 5000 }).toBe(200);
    const ofBrief = () => audits.filter(({ subject }) => subject === "faults/brief");
    await expect.poll(() => ofBrief().length, { timeout: 10_000 }).toBe(2);
    const told = ofBrief().map(({ subject, data }) => [subject, data["action"], data["actor"]]);
    expect(told).toEqual(
      expect.arrayContaining([
        ["faults/brief", "fault.set", "key:owner"],
        ["faults/brief", "fault.expired", "time"],
      ]),
    );
    expect(ofBrief()[0]?.type).toBe("dev.sluice.audit.recorded");
  });

  test("are counted by name and kind", async () => {
    await set("counted", { match: ALL, abort: { ...always, httpStatus: 503 } });
    for (let i = 0; i < 3; i++) await classify();
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/^ai_faults_injected_total\{.*counted.*\} 3$/m);
  });

  test.each([
    [{ match: {}, abort: { ...always, httpStatus: 503 } }, "match"],
    [{ match: ALL }, "delay"],
    [{ match: ALL, abort: { ...always, httpStatus: 200 } }, "abort.httpStatus"],
    [{ match: ALL, abort: { percentage: { value: 101 }, httpStatus: 503 } }, "percentage"],
    [{ match: ALL, delay: { ...always, fixedDelay: "soon" } }, "delay.fixedDelay"],
    [{ match: ALL, delay: { ...always, fixedDelay: "5s" }, ttl: "2d" }, "ttl"],
    [{ match: ALL, delay: { ...always, fixedDelay: "5s" }, aborts: {} }, "aborts"],
  ])("that cannot work are refused: %j", async (rule, field) => {
    const answer = await send("PUT", "/v1/faults/wrong", { ttl: "1m", ...rule });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(field);
  });

  test("are set by operators only, and looked at by everybody", async () => {
    const rule = { ttl: "1m", match: ALL, abort: { ...always, httpStatus: 503 } };
    const answer = await send("PUT", "/v1/faults/mine", rule, { authorization: READER });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("faults.operators");
    const list = await send("GET", "/v1/faults", undefined, { authorization: READER });
    expect(list.status).toBe(200);
  });
});

test("a release does not take faults for those of its versions", async () => {
  await set("candidate-shaky", {
    match: { model: MODEL, version: "1.1.0" },
    abort: { percentage: { value: 50 }, httpStatus: 503 },
  });
  const { id } = await bench.release();
  const statuses = new Map<number, number>();
  let phase = "";
  const endsAt = Date.now() + 40_000;
  while (!["succeeded", "failed"].includes(phase) && Date.now() < endsAt) {
    const { status: code } = await classify({ text: `A good film ${Math.random()}.` });
    statuses.set(code, (statuses.get(code) ?? 0) + 1);
    ({ phase } = await bench.find(id));
  }
  expect(phase).toBe("succeeded");
  expect(statuses.get(503)).toBeGreaterThan(10);
  expect(statuses.get(200)).toBeGreaterThan(10);
}, 60_000);

test("a server whose settings do not allow faults makes none, and says what would", async () => {
  const other = await startTestServer({});
  try {
    const answer = await fetch(`${other.url}/v1/faults`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("faults.enabled");
  } finally {
    await other.drain();
  }
});

test("rules of the configuration hold from the start; wrong ones keep the server from starting", async () => {
  const rule = { name: "boot", match: ALL, abort: { ...always, httpStatus: 503 }, ttl: "1m" };
  const settings = { "faults.enabled": "on", "faults.rules": JSON.stringify([rule]) };
  const other = await startTestServer(settings);
  try {
    const answer = await other.classify({ text: "one" });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("x-sluice-fault")).toBe("boot");
  } finally {
    await other.drain();
  }
  const wrong = JSON.stringify([{ ...rule, ttl: "forever" }]);
  await expect(startTestServer({ "faults.enabled": "on", "faults.rules": wrong })).rejects.toThrow(
    /faults\.rules\[0\]\.ttl/,
  );
});
