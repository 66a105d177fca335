import { describe, expect, it } from "vitest";
import type { ConfigProblem } from "./config-error.ts";
import type { Environment } from "./read-environment.ts";
import { readEnvironment } from "./read-environment.ts";
import { resolveLayers } from "./resolve-layers.ts";

describe("readEnvironment", () => {
  it("accepts PORT and MODEL_PATH, and prefers our own names", () => {
    expect(load({ PORT: "81" }).get("server.port")).toBe(81);
    expect(load({ MODEL_PATH: "/models" }).get("models.directory")).toBe("/models");
    expect(load({ PORT: "81", SLUICE_PORT: "82" }).get("server.port")).toBe(82);
    expect(load({ PORT: "junk", SLUICE_PORT: "82" }).get("server.port")).toBe(82);
  });

  it.each([
    ["true", true],
    ["YES", true],
    ["1", true],
    ["false", false],
    ["no", false],
    ["0", false],
  ])("reads %j as %j", (text, value) => {
    const env = { SLUICE_MODELS_FAIL_ON_INVALID: text };
    expect(load(env).get("models.failOnInvalid")).toBe(value);
  });

  it("reads lists and maps as JSON", () => {
    const values = load({
      SLUICE_SERVER_TRUST_PROXY: '["10.0.0.0/8"]',
      SLUICE_MODELS_DEFAULT_VERSIONS: '{"text-classification":"1.2.3"}',
    });
    expect(values.get("server.trustProxy")).toEqual(["10.0.0.0/8"]);
    expect(values.get("models.defaultVersions")).toEqual({ "text-classification": "1.2.3" });
  });

  it.each(["8000abc", "", " 8000", "8e3", "80.5", "0x50", "-1", "65536", "99999999999999999999"])(
    "refuses %j as a port",
    (text) => {
      const [problem, ...others] = findProblems({ SLUICE_PORT: text });
      expect(others).toEqual([]);
      expect(problem).toMatchObject({
        path: "server.port",
        source: { kind: "environment", name: "SLUICE_PORT" },
        expected: "a whole number from 0 to 65535",
      });
    },
  );

  it.each([
    ["SLUICE_MODELS_FAIL_ON_INVALID", "on"],
    ["SLUICE_INFERENCE_INLINE_MAX_RUN_MS", "Infinity"],
    ["SLUICE_LOGGING_LEVEL", "INFO"],
    ["SLUICE_SERVER_HOST", ""],
    ["SLUICE_SERVER_TRUST_PROXY", "10.0.0.0/8"],
    ["SLUICE_SERVER_TRUST_PROXY", "{}"],
    ["SLUICE_MODELS_DEFAULT_VERSIONS", "[]"],
  ])("refuses %s=%j", (name, text) => {
    expect(findProblems({ [name]: text })).toHaveLength(1);
  });

  it("reports a SLUICE_ name that nothing reads, with the one that was meant", () => {
    const [far] = findProblems({ SLUICE_SOMETHING_ELSE: "1" });
    expect(far?.source).toEqual({ kind: "environment", name: "SLUICE_SOMETHING_ELSE" });
    expect(far?.advice).toBeUndefined();
    const [near] = findProblems({ SLUICE_BATCHING_MAXBATCHITEM: "1" });
    expect(near?.advice).toBe("Did you mean SLUICE_BATCHING_MAX_BATCH_ITEMS?");
  });

  it("ignores the names that Kubernetes adds for a service called sluice", () => {
    const values = load({
      SLUICE_PORT: "tcp://10.0.0.1:80",
      SLUICE_PORT_80_TCP: "tcp://10.0.0.1:80",
      SLUICE_PORT_80_TCP_ADDR: "10.0.0.1",
      SLUICE_SERVICE_HOST: "10.0.0.1",
      SLUICE_SERVICE_PORT: "80",
      SLUICE_SERVICE_PORT_HTTP: "80",
      SLUICE_REDIS_SERVICE_HOST: "10.0.0.2",
      SLUICE_REDIS_PORT: "tcp://10.0.0.2:6379",
    });
    expect(values.get("server.port")).toBe(8000);
  });
});

function load(env: Environment): ReadonlyMap<string, unknown> {
  expect(findProblems(env)).toEqual([]);
  return resolveLayers([readEnvironment(env)]).values;
}

function findProblems(env: Environment): readonly ConfigProblem[] {
  const layer = readEnvironment(env);
  return [...layer.problems, ...resolveLayers([layer]).problems];
}
