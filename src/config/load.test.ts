import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ConfigProblem } from "./config-error.ts";
import { ConfigError } from "./config-error.ts";
import type { LoadedConfig } from "./load.ts";
import { loadConfig } from "./load.ts";
import type { Environment } from "./read-environment.ts";
import type { Flags } from "./read-flags.ts";
import { redactConfig } from "./redact.ts";

const directory = mkdtempSync(join(tmpdir(), "sluice-config-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const HASH = "0123456789abcdef".repeat(4);

describe("layers", () => {
  it("gives the defaults when nothing is set", () => {
    const { config, origins, file } = load({});
    expect(config.server).toMatchObject({ host: "127.0.0.1", port: 8000, trustProxy: [] });
    expect(config.cache).toEqual({
      store: { driver: "memory", maxBytes: 67_108_864 },
      ttlSeconds: 300,
    });
    expect(config.batching.maxQueueDelayMs).toBe(0);
    expect(config.replicas).toBe(1);
    expect(origins.size).toBe(0);
    expect(file).toBeUndefined();
  });

  it("lays flags over the environment over the file over the defaults", () => {
    const { config, origins, file } = load({
      yaml: "server: { port: 1, maxBodyBytes: 2000, maxHeaderBytes: 3000 }",
      env: { SLUICE_PORT: "2", SLUICE_SERVER_MAX_BODY_BYTES: "4000" },
      flags: { "server.port": "3" },
    });
    expect(config.server).toMatchObject({ port: 3, maxBodyBytes: 4000, maxHeaderBytes: 3000 });
    expect(origins.get("server.port")).toEqual({ kind: "flag", name: "--server.port" });
    expect(origins.get("server.maxBodyBytes")).toEqual({
      kind: "environment",
      name: "SLUICE_SERVER_MAX_BODY_BYTES",
    });
    expect(origins.get("server.maxHeaderBytes")).toEqual({
      kind: "file",
      file,
      line: 1,
      column: 40,
    });
  });

  it("lays them over each other in groups of groups, too", () => {
    const { config, origins } = load({
      yaml: "jobs: { maxRows: 7, sources: { allowedHosts: [a.test, '*.b.test'], allowHttp: true } }",
      env: { SLUICE_JOBS_SOURCES_TIMEOUT_MS: "500", SLUICE_JOBS_SOURCES_ALLOW_HTTP: "false" },
      flags: { "jobs.sources.allow-private-addresses": "true" },
    });
    expect(config.jobs.maxRows).toBe(7);
    expect(config.jobs.sources).toEqual({
      allowedHosts: ["a.test", "*.b.test"],
      allowHttp: false,
      allowPrivateAddresses: true,
      timeoutMs: 500,
    });
    expect(origins.get("jobs.sources.allowedHosts")).toMatchObject({ kind: "file", line: 1 });
    const wrong = "jobs: { sources: { allowedHost: [], allowedHosts: [https://a.test/, '*'] } }";
    expect(() => load({ yaml: wrong })).toThrow(ConfigError);
  });

  it("reads sluice.yaml of the directory when no file is named", () => {
    const folder = mkdtempSync(join(directory, "default-"));
    writeFileSync(join(folder, "sluice.yaml"), "replicas: 2\n");
    expect(loadConfig({ env: {}, flags: {}, directory: folder }).config.replicas).toBe(2);
  });

  it("reads the file that SLUICE_CONFIG names, and rather the one that --config names", () => {
    const a = writeYaml("replicas: 2");
    const b = writeYaml("replicas: 3");
    expect(load({ env: { SLUICE_CONFIG: a } }).config.replicas).toBe(2);
    expect(load({ env: { SLUICE_CONFIG: a }, flags: { config: b } }).config.replicas).toBe(3);
  });

  it("reports a named file that is not there", () => {
    const [problem] = findProblems({ env: { SLUICE_CONFIG: join(directory, "missing.yaml") } });
    expect(problem).toMatchObject({
      source: { kind: "environment", name: "SLUICE_CONFIG" },
      expected: "a readable file",
    });
    expect(problem?.found).toContain("ENOENT");
  });

  it("takes an empty file and empty groups as saying nothing", () => {
    expect(load({ yaml: "" }).origins.size).toBe(0);
    expect(load({ yaml: "server:\ncache:\n  store:\n" }).origins.size).toBe(0);
  });

  it("freezes the whole configuration", () => {
    const { config } = load({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.cache.store)).toBe(true);
    expect(Object.isFrozen(config.auth.keys)).toBe(true);
  });
});

describe("drivers", () => {
  it("leaves out the settings of a driver that is not chosen", () => {
    expect(load({ yaml: "cache: { store: { driver: none } }" }).config.cache.store).toEqual({
      driver: "none",
    });
  });

  it("forgets settings of a driver that a later layer replaced", () => {
    const yaml = "cache: { store: { driver: memory, maxBytes: 1000000 } }";
    const { config, origins } = load({ yaml, env: { SLUICE_CACHE_STORE_DRIVER: "none" } });
    expect(config.cache.store).toEqual({ driver: "none" });
    expect(origins.has("cache.store.maxBytes")).toBe(false);
  });

  it("refuses settings of another driver beside the choice", () => {
    const [problem] = findProblems({ yaml: "cache: { store: { driver: none, maxBytes: 70000 } }" });
    expect(problem).toMatchObject({
      path: "cache.store.maxBytes",
      expected: "no such setting while cache.store.driver is none",
    });
  });

  it("refuses an unknown driver", () => {
    const [problem] = findProblems({ yaml: "cache: { store: { driver: rediss } }" });
    expect(problem?.expected).toBe("one of memory, redis, none");
  });
});

describe("relations", () => {
  it.each([
    ["limits: { defaultDeadlineMs: 9, maxDeadlineMs: 8 }", "limits.defaultDeadlineMs"],
    ["server: { headersTimeoutMs: 900, requestTimeoutMs: 800 }", "server.headersTimeoutMs"],
    [
      "batching: { maxQueueDelayMs: 100, minBatchItems: 9, maxBatchItems: 8 }",
      "batching.minBatchItems",
    ],
  ])("refuses %s", (yaml, path) => {
    expect(findProblems({ yaml }).map((problem) => problem.path)).toEqual([path]);
  });

  it("lets maxBatchItems be small while nothing waits for minBatchItems", () => {
    expect(load({ yaml: "batching: { maxBatchItems: 1 }" }).config.batching.maxBatchItems).toBe(1);
  });

  it("refuses two keys with the same id or the same secret", () => {
    const key = { id: "a", sha256: HASH };
    const env = { SLUICE_AUTH_KEYS: JSON.stringify([key, key]) };
    const problems = findProblems({ env });
    expect(problems.map(({ path }) => path)).toEqual(["auth.keys[1].id", "auth.keys[1].sha256"]);
  });

  it("does not judge relations of a value that is wrong by itself", () => {
    const env = { SLUICE_LIMITS_MAX_DEADLINE_MS: "10", SLUICE_LIMITS_DEFAULT_DEADLINE_MS: "x" };
    expect(findProblems({ env })).toHaveLength(1);
  });
});

describe("mistakes", () => {
  it("reports those of all layers together, hidden ones too, each with its place", () => {
    const options = {
      yaml: "server: { port: x }",
      env: { SLUICE_PORT: "y", SLUICE_LOGING_LEVEL: "debug" },
      flags: { "server.port": "80", "cache.ttl-seconds": "z" },
    };
    const { message } = new ConfigError(findProblems(options));
    expect(
      message.replace(/\(\S*config-\d+\.yaml/, "(FILE"),
    ).toBe(`The configuration has 4 mistakes:
  - environment SLUICE_LOGING_LEVEL: expected the environment name of a setting, found an unknown one. Did you mean SLUICE_LOGGING_LEVEL?
  - server.port (FILE:1:11): expected a whole number from 0 to 65535, found "x".
  - server.port (environment SLUICE_PORT): expected a whole number from 0 to 65535, found "y".
  - cache.ttlSeconds (flag --cache.ttl-seconds): expected a whole number from 1 to 31536000, found "z".`);
  });
});

describe("redactConfig", () => {
  it("hides the hashes of keys and nothing else", () => {
    const env = { SLUICE_AUTH_KEYS: JSON.stringify([{ id: "a", sha256: HASH }]) };
    const { config } = load({ env });
    const redacted = redactConfig(config);
    expect(redacted.auth.keys).toEqual([{ id: "a", sha256: "***" }]);
    expect({ ...redacted, auth: config.auth }).toEqual(config);
  });
});

interface Sources {
  readonly yaml?: string;
  readonly env?: Environment;
  readonly flags?: Flags;
}

let fileCount = 0;

function writeYaml(content: string): string {
  fileCount += 1;
  const file = join(directory, `config-${fileCount}.yaml`);
  writeFileSync(file, content);
  return file;
}

function load({ yaml, env = {}, flags = {} }: Sources): LoadedConfig {
  const file = yaml === undefined ? {} : { file: writeYaml(yaml) };
  return loadConfig({ env, flags, directory, ...file });
}

function findProblems(sources: Sources): readonly ConfigProblem[] {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
