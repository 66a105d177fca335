import { expect, test } from "vitest";
import { listEngineUrls, toRoleConfig } from "./for-role.ts";
import { loadConfig } from "./load.ts";

const load = (flags: Readonly<Record<string, string>>) =>
  loadConfig({ env: {}, directory: import.meta.dirname, flags }).config;

test("an engine listens where gateways look for it, and neither counts callers nor remembers results", () => {
  const engine = toRoleConfig(load({ role: "engine", "engine.port": "8123", "server.port": "80" }));
  expect(engine.server).toMatchObject({ host: "127.0.0.1", port: 8123 });
  expect(engine.rateLimit.requests).toBe(0);
  expect(engine.cache.store).toEqual({ driver: "none" });
  expect([engine.grpc.listen, engine.tensorflowServing.listen]).toEqual(["off", "off"]);
});

test("a port that an engine was told to open stays open, and other roles stay as they are", () => {
  expect(toRoleConfig(load({ role: "engine", "grpc.listen": "on" })).grpc.listen).toBe("on");
  for (const role of ["all", "gateway"]) {
    const config = load({ role });
    expect(toRoleConfig(config)).toBe(config);
  }
});

test("a gateway that is told of no engines looks for one on this machine", () => {
  expect(listEngineUrls(load({ "engine.port": "8123" }))).toEqual(["http://127.0.0.1:8123"]);
  const urls = ["http://a:1", "https://b"];
  expect(listEngineUrls(load({ "engine.urls": JSON.stringify(urls) }))).toEqual(urls);
});
