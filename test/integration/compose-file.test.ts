import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readCompose, readEnvironmentFile } from "../support/compose-file.ts";
import { readDeployedConfig, readImageEnvironment } from "../support/deployed-config.ts";
import { findProgram } from "../support/find-program.ts";
import { pick, pickList, pickRecord, pickText } from "../support/pick.ts";

const DEPLOY = fileURLToPath(new URL("../../deploy", import.meta.url));
const read = (path: string) => readFileSync(join(DEPLOY, path), "utf8");

const EXAMPLE = readEnvironmentFile(read("compose/example.env"));
const SOURCE = read("compose/compose.yaml");
const { document, services } = readCompose(SOURCE, EXAMPLE);
const servers = services.filter(({ environment }) => environment["SLUICE_ROLE"] !== undefined);

describe("the Compose file", () => {
  test("starts two of each role", () => {
    const copies = new Map<string, number>();
    for (const { environment, definition } of servers) {
      const role = environment["SLUICE_ROLE"] ?? "";
      const count = Number(pick(definition, "deploy.replicas") ?? 1);
      copies.set(role, (copies.get(role) ?? 0) + count);
    }
    expect(Object.fromEntries(copies)).toEqual({ gateway: 2, engine: 2, worker: 2 });
  });

  test.each(servers)("$name has settings that the server starts with", ({ environment }) => {
    const { mistakes } = readDeployedConfig({
      env: { ...readImageEnvironment(), ...environment },
    });
    expect(mistakes).toEqual([]);
  });

  test("gateways and workers ask exactly the engines that there are", () => {
    const engines = servers.filter(({ environment }) => environment["SLUICE_ROLE"] === "engine");
    const asking = servers.filter(({ environment }) => environment["SLUICE_ROLE"] !== "engine");
    expect(asking).toHaveLength(2);
    for (const { environment } of asking) {
      const urls: unknown = JSON.parse(environment["SLUICE_ENGINE_URLS"] ?? "");
      expect(urls).toEqual(engines.map(({ name }) => `http://${name}:8100`));
    }
    for (const { environment } of engines) {
      expect(Object.keys(environment).filter((name) => name.endsWith("_URL"))).toEqual([]);
    }
  });

  test("every address in a setting is that of a service on a network in common", () => {
    for (const { name, environment, networks } of servers) {
      for (const [setting, value] of Object.entries(environment)) {
        for (const [, host] of value.matchAll(/:\/\/(?:[^@/"]*@)?([a-z0-9-]+):\d+/g)) {
          const target = services.find((service) => service.name === host);
          const shared = target?.networks.filter((network) => networks.includes(network));
          expect(shared?.length, `${name} ${setting} ${host}`).toBeGreaterThan(0);
        }
      }
    }
  });

  test("who needs another waits until it is healthy, and that one can tell", () => {
    const image = readFileSync(join(DEPLOY, "docker/Dockerfile"), "utf8");
    for (const { name, dependsOn } of services) {
      for (const [other, condition] of Object.entries(dependsOn)) {
        expect(condition, `${name} ${other}`).toBe("service_healthy");
        const target = services.find((service) => service.name === other);
        const isServer = target?.environment["SLUICE_ROLE"] !== undefined;
        const tells = isServer
          ? image.includes("HEALTHCHECK")
          : pick(target, "definition.healthcheck.test");
        expect(tells, other).toBeTruthy();
      }
    }
    const gateway = services.find(({ name }) => name === "gateway");
    expect(Object.keys(gateway?.dependsOn ?? {})).toEqual(
      expect.arrayContaining(["redis", "postgres", "nats"]),
    );
  });

  test.each(services)("$name has limits, and a version of its image", ({ definition }) => {
    expect(pick(definition, "deploy.resources.limits.memory")).toBeTruthy();
    expect(pick(definition, "deploy.resources.limits.cpus")).toBeTruthy();
    expect(pick(definition, "image")).toMatch(/:v?\d+\.\d+(\.\d+)?/);
  });

  test.each(servers)(
    "$name cannot write to its image, gain rights, or be cut off while it drains",
    (server) => {
      const { definition, environment } = server;
      expect(definition).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
      const drainMs = Number(environment["SLUICE_SHUTDOWN_DRAIN_DELAY_MS"]);
      const graceMs = Number(environment["SLUICE_SHUTDOWN_GRACE_MS"]);
      const graceSeconds = Number(/^(\d+)s$/.exec(pickText(definition, "stop_grace_period"))?.[1]);
      expect(graceSeconds * 1000).toBeGreaterThan(drainMs + graceMs);
    },
  );

  test("publishes ports on this machine only, and keeps engines and stores inside", () => {
    for (const { definition } of services) {
      for (const port of pickList(definition, "ports")) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
    expect(pick(document, "networks.inside.internal")).toBe(true);
    const inside = services.filter(({ networks }) => networks.join() === "inside");
    expect(inside.map(({ name }) => name).sort()).toEqual([
      "engine-1",
      "engine-2",
      "nats",
      "postgres",
      "redis",
    ]);
  });

  test("holds no password: each comes from the environment, and is required", () => {
    for (const name of Object.keys(EXAMPLE)) {
      const { [name]: _left, ...others } = EXAMPLE;
      if (name === "METRICS_KEY")
        expect(pick(document, "secrets.metrics-key.environment")).toBe(name);
      else expect(() => readCompose(SOURCE, others), name).toThrow(name);
    }
    const keys: unknown = JSON.parse(EXAMPLE["SLUICE_AUTH_KEYS"] ?? "");
    for (const { sha256 } of keys as { sha256: string }[]) expect(sha256).toMatch(/^(.)\1{63}$/);
  });

  test("mounts only files that exist, and volumes that it declares", () => {
    const declared = Object.keys(pickRecord(document, "volumes"));
    for (const { definition } of services) {
      for (const volume of pickList(definition, "volumes").map(String)) {
        const [source = ""] = volume.split(":");
        const isThere = source.startsWith(".")
          ? existsSync(join(DEPLOY, "compose", source))
          : declared.includes(source);
        expect(isThere, volume).toBe(true);
      }
    }
  });
});

describe("the configuration of Prometheus", () => {
  const prometheus: unknown = parse(read("prometheus/prometheus.yml"));

  test("scrapes every server at the port of its role, with a timeout below the interval", () => {
    const ports: Record<string, string> = { gateway: "8000", engine: "8100", worker: "8200" };
    const found = pickList(prometheus, "scrape_configs").flatMap((job) => [
      ...pickList(job, "dns_sd_configs").flatMap((config) =>
        pickList(config, "names").map((name) => `${String(name)}:${pickText(config, "port")}`),
      ),
      ...pickList(job, "static_configs").flatMap((config) => pickList(config, "targets")),
    ]);
    const wanted = servers.map(
      ({ name, environment }) => `${name}:${ports[environment["SLUICE_ROLE"] ?? ""]}`,
    );
    expect(found).toEqual(expect.arrayContaining(wanted));
    expect(pick(prometheus, "global.scrape_interval")).toBe("15s");
    expect(pick(prometheus, "global.scrape_timeout")).toBe("10s");
  });

  test("writes no label onto itself", () => {
    for (const job of pickList(prometheus, "scrape_configs")) {
      for (const rule of pickList(job, "relabel_configs")) {
        const sources = pickList(rule, "source_labels").map(String);
        expect(sources).not.toEqual([pickText(rule, "target_label")]);
      }
    }
  });

  const promtool = findProgram("promtool");
  const skipped = promtool === undefined ? " [skipped: no promtool]" : "";
  test.skipIf(promtool === undefined)(`is accepted by promtool${skipped}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-promtool-"));
    try {
      const key = join(folder, "key");
      const file = join(folder, "prometheus.yml");
      writeFileSync(key, "x");
      writeFileSync(
        file,
        read("prometheus/prometheus.yml").replaceAll("/run/secrets/metrics-key", key),
      );
      const printed = execFileSync(promtool ?? "", ["check", "config", file]).toString();
      expect(printed).toContain("SUCCESS");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const nats = findProgram("nats-server");
  const withoutNats = nats === undefined ? " [skipped: no nats-server]" : "";
  test.skipIf(nats === undefined)(`NATS accepts its own${withoutNats}`, () => {
    const file = join(DEPLOY, "compose/nats.conf");
    const env = { NATS_PASSWORD: "replaceMe" };
    execFileSync(nats ?? "", ["-t", "-c", file], { env, stdio: "pipe" });
    expect(() =>
      execFileSync(nats ?? "", ["-t", "-c", file], { env: {}, stdio: "pipe" }),
    ).toThrow();
  });
});
