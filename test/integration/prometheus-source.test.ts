import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createPrometheusSource } from "../../src/stores/metrics-source/prometheus.ts";
import { findFreePort } from "../support/free-port.ts";
import type { PrometheusServer } from "../support/prometheus-server.ts";
import { findPrometheusProblem, startPrometheusServer } from "../support/prometheus-server.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

const toSource = (url: string, more: { token?: string; timeoutMs?: number } = {}) =>
  createPrometheusSource({ url, token: "", timeoutMs: 5000, ...more });

const problem = findPrometheusProblem();
describe.skipIf(problem !== undefined)(`Prometheus itself${problem ? ` (${problem})` : ""}`, () => {
  let server: PrometheusServer;
  beforeAll(async () => {
    server = await startPrometheusServer();
  });
  afterAll(() => server.close());

  test.each([
    ["vector(0.25)", 0.25],
    ["42", 42],
    ["sum(vector(1) or on() vector(2))", 1],
    ["vector(1) / 0", Number.POSITIVE_INFINITY],
    ["-vector(1) / 0", Number.NEGATIVE_INFINITY],
    ["vector(0) / 0", null],
    ['nothing{of="this"}', null],
  ])("%s is %s", async (query, value) => {
    expect(await toSource(`${server.url}/`).ask(query)).toBe(value);
  });

  test.each([
    ["sum(", "parse error"],
    ["vector(1)[5m:1m]", "matrix"],
    ['label_replace(vector(1), "a", "b", "", "") or vector(2)', "2 numbers"],
    ['"text"', "string"],
  ])("%s gives no number, and the reason", async (query, reason) => {
    const asked = toSource(server.url).ask(query);
    await expect(asked).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(reason),
    });
  });
});

describe("a server that is no Prometheus", () => {
  let server: ScriptedHttpServer | undefined;
  afterEach(() => server?.kill());

  const start = async (status: number, body: string, headers: Record<string, string> = {}) => {
    const seen: (string | undefined)[] = [];
    server = await startScriptedHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      if (status > 0) response.writeHead(status, headers).end(body);
    });
    return { seen, url: server.url };
  };

  test.each([
    [404, "not found", "is this its address"],
    [401, "", "releases.metricsToken"],
    [403, "{}", "status 403"],
    [200, "<html>", "is this its address"],
    [200, "x".repeat(1_100_000), "longer than any number"],
    [200, "[]", "status 200"],
    [200, '{"status":"success"}', "undefined"],
    [
      200,
      '{"status":"success","data":{"resultType":"vector","result":{}}}',
      "one number is wanted",
    ],
  ])("%i %.20s gives the reason", async (status, body, reason) => {
    const { url } = await start(status, body);
    await expect(toSource(url).ask("1")).rejects.toThrow(reason);
  });

  test("gets the token, which no redirect carries on", async () => {
    const { seen, url } = await start(302, "", { location: "/elsewhere" });
    await expect(toSource(url, { token: "secret" }).ask("1")).rejects.toThrow("metricsUrl");
    expect(seen).toEqual(["Bearer secret"]);
  });

  test("that does not answer is waited for no longer than is set", async () => {
    const { url } = await start(0, "");
    const asked = toSource(url, { timeoutMs: 100 }).ask("1");
    await expect(asked).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("within 100 ms"),
    });
  });

  test("that is not there is told", async () => {
    const asked = toSource(`http://127.0.0.1:${await findFreePort()}`).ask("1");
    await expect(asked).rejects.toThrow("ECONNREFUSED");
  });
});
