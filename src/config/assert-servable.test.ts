import { describe, expect, it } from "vitest";
import {
  assertSafeExposure,
  assertServable,
  assertSharedStores,
  isKeyRequired,
} from "./assert-servable.ts";
import { loadConfig } from "./load.ts";
import { isLoopbackHost } from "./loopback-host.ts";
import type { Config } from "./schema.ts";

const KEYS = JSON.stringify([{ id: "a", sha256: "0".repeat(64) }]);

describe("isLoopbackHost", () => {
  it.each([
    ["127.0.0.1", true],
    ["127.1.2.3", true],
    ["::1", true],
    ["[::1]", true],
    ["localhost", true],
    ["0.0.0.0", false],
    ["::", false],
    ["10.0.0.1", false],
    ["127.0.0.1.example.com", false],
    ["sluice.internal", false],
  ])("takes %s as reachable from this machine only: %j", (host, isLoopback) => {
    expect(isLoopbackHost(host)).toBe(isLoopback);
  });
});

describe("assertSafeExposure", () => {
  it("lets a server on loopback start without keys", () => {
    const config = createConfig({});
    expect(() => assertSafeExposure(config)).not.toThrow();
    expect(isKeyRequired(config)).toBe(false);
  });

  it("refuses a public address without keys and says what to do", () => {
    const config = createConfig({ "server.host": "0.0.0.0" });
    expect(() => assertSafeExposure(config)).toThrow(/sluice keys create.*127\.0\.0\.1/);
  });

  it("requires a key on a public address with keys", () => {
    const config = createConfig({ "server.host": "0.0.0.0", "auth.keys": KEYS });
    expect(() => assertSafeExposure(config)).not.toThrow();
    expect(isKeyRequired(config)).toBe(true);
  });

  it("refuses to require nothing on a public address, with or without keys", () => {
    const flags = { "server.host": "::", "auth.required": "never" };
    expect(() => assertSafeExposure(createConfig(flags))).toThrow(/auth\.allowAnonymous/);
    expect(() => assertSafeExposure(createConfig({ ...flags, "auth.keys": KEYS }))).toThrow();
  });

  it("serves everybody on a public address only by explicit consent", () => {
    const config = createConfig({ "server.host": "::", "auth.allow-anonymous": "true" });
    expect(() => assertSafeExposure(config)).not.toThrow();
    expect(isKeyRequired(config)).toBe(false);
  });

  it("still wants a key from everybody when keys exist beside that consent", () => {
    const flags = { "server.host": "::", "auth.allow-anonymous": "true", "auth.keys": KEYS };
    expect(isKeyRequired(createConfig(flags))).toBe(true);
    expect(isKeyRequired(createConfig({ ...flags, "auth.required": "never" }))).toBe(false);
  });

  it("refuses a server that nobody could use", () => {
    expect(() => assertSafeExposure(createConfig({ "auth.required": "always" }))).toThrow(
      /auth\.keys/,
    );
  });
});

describe("faults on purpose", () => {
  const PUBLIC = { "server.host": "0.0.0.0", "auth.keys": KEYS, "faults.enabled": "on" };

  it("are refused where other machines reach the server, unless both settings say otherwise", () => {
    expect(() => assertServable(createConfig({ "faults.enabled": "on" }))).not.toThrow();
    expect(() => assertServable(createConfig(PUBLIC))).toThrow(/faults\.enabled.*allowPublic/s);
    const allowed = { ...PUBLIC, "faults.allowPublic": "true" };
    expect(() => assertServable(createConfig(allowed))).toThrow(/faults\.operators/);
    const named = { ...allowed, "faults.operators": '["a"]' };
    expect(() => assertServable(createConfig(named))).not.toThrow();
  });
});

describe("assertSharedStores", () => {
  it("accepts one replica", () => {
    expect(() => assertSharedStores(createConfig({}))).not.toThrow();
  });

  it("refuses several replicas and names each store that they would not share", () => {
    const assert = () => assertSharedStores(createConfig({ replicas: "2" }));
    expect(assert).toThrow(
      /rateLimit\.store\.driver.*cache\.store\.driver.*records\.store\.driver/s,
    );
  });

  it("accepts several replicas when nothing is stored", () => {
    const flags = { replicas: "2", "cache.store.driver": "none", "rate-limit.requests": "0" };
    const without = { ...flags, "jobs.enabled": "off", "vectors.enabled": "off" };
    expect(() => assertSharedStores(createConfig(without))).not.toThrow();
    const shared = {
      ...{ replicas: "2", "records.store.driver": "postgres" },
      ...{ "cache.store.driver": "redis", "rateLimit.store.driver": "redis" },
      "vectors.store.driver": "pgvector",
    };
    expect(() => assertSharedStores(createConfig(shared))).not.toThrow();
  });
});

describe("assertServable", () => {
  it("reports everything together", () => {
    const config = createConfig({ "server.host": "::", replicas: "2" });
    expect(() => assertServable(config)).toThrow(/5 mistakes/);
  });
});

function createConfig(flags: Record<string, string>): Config {
  return loadConfig({ env: {}, flags, directory: "does-not-exist" }).config;
}
