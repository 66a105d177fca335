import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createConformanceCommand } from "../../src/cli/conformance.ts";
import { createHttpProbe } from "../../src/conformance/http-probe.ts";
import type { Protocol } from "../../src/conformance/protocols.ts";
import { PROTOCOLS, tryServer } from "../../src/conformance/protocols.ts";
import { isConformant } from "../../src/conformance/run-cases.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { writeImageModel, writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("image/1.0.0", { "image.onnx": writeImageModel() });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  server = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "rateLimit.requests": "0",
    "inference.workers": "1",
  });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

const ANY = { model: undefined, version: undefined, only: undefined };
const probe = (url: string) => createHttpProbe({ url, timeoutMs: 5000 });

describe.each(["reviews", "image", "numbers"])("this server, by its model %s,", (model) => {
  test.each<Protocol>(["open-inference", "tensorflow-serving"])(
    "passes every case of %s",
    async (protocol) => {
      const { results } = await tryServer(probe(server.url), protocol, { ...ANY, model });
      const failed = results.filter(({ verdict }) => verdict.outcome === "fail");
      expect(failed).toEqual([]);
      expect(results.length).toBeGreaterThan(25);
      expect(results.filter(({ verdict }) => verdict.outcome === "pass").length).toBeGreaterThan(
        20,
      );
    },
  );
});

test("this server passes every case of tei", async () => {
  const { results } = await tryServer(probe(server.url), "tei", ANY);
  expect(results.filter(({ verdict }) => verdict.outcome === "fail")).toEqual([]);
  expect(results.filter(({ verdict }) => verdict.outcome === "pass").length).toBeGreaterThan(11);
});

/** A server that is right about what it has, and then says yes to everything, or breaks on everything. */
async function withServer(
  status: number,
  body: string,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const described: Readonly<Record<string, object>> = {
    "/v2": { extensions: ["binary_tensor_data"] },
    "/v2/models/m": { inputs: [{ name: "x", datatype: "FP32", shape: [-1] }] },
    "/v1/models/m/metadata": {
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: { x: { dtype: "DT_FLOAT", tensor_shape: { dim: [{ size: "-1" }] } } },
            },
          },
        },
      },
    },
    "/info": { model_id: "m", model_type: { classifier: {} } },
  };
  const wrong = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const known = described[request.url ?? ""];
      response.writeHead(known === undefined ? status : 200);
      response.end(known === undefined ? body : JSON.stringify(known));
    });
  });
  await new Promise<void>((resolve) => wrong.listen(0, "127.0.0.1", resolve));
  try {
    await run(`http://127.0.0.1:${(wrong.address() as AddressInfo).port}`);
  } finally {
    wrong.close();
  }
}

describe.each(PROTOCOLS)("of %s,", (protocol) => {
  test("a server that says yes to everything fails whatever must be refused", async () => {
    await withServer(200, '{"outputs":[],"predictions":[]}', async (url) => {
      const { results } = await tryServer(probe(url), protocol, { ...ANY, model: "m" });
      const refusals = results.filter(({ id }) => id.includes("refuse") || id.includes("unknown"));
      expect(refusals.length).toBeGreaterThan(3);
      expect(refusals.filter(({ verdict }) => verdict.outcome !== "fail")).toEqual([]);
      expect(isConformant(results)).toBe(false);
    });
  });

  test("a server that breaks on everything fails all that it must do", async () => {
    await withServer(500, '{"error":"Oh."}', async (url) => {
      const { results } = await tryServer(probe(url), protocol, { ...ANY, model: "m" });
      const described = ["v2.metadata", "tfs.metadata", "tei.info", "v2.binary"];
      const required = results.filter(
        ({ id, level, verdict }) =>
          level === "required" &&
          verdict.outcome !== "unsupported" &&
          !described.some((one) => id.startsWith(one)),
      );
      expect(required.length).toBeGreaterThan(7);
      expect(required.filter(({ verdict }) => verdict.outcome !== "fail")).toEqual([]);
    });
  });
});

test("the command prints a line per case and what was expected, and tells by its exit code", async () => {
  const printed: string[] = [];
  const run = async (...words: string[]) => {
    printed.length = 0;
    process.exitCode = undefined;
    await createConformanceCommand((text) => void printed.push(text)).parseAsync(words, {
      from: "user",
    });
    const code = process.exitCode;
    process.exitCode = undefined;
    return code;
  };
  expect(
    await run(
      server.url,
      "--protocol",
      "open-inference",
      "--model",
      "reviews",
      "--only",
      "v2.infer",
    ),
  ).toBeUndefined();
  expect(printed.join("")).toContain("✓ infer with flat data");
  await withServer(200, "{}", async (url) => {
    expect(await run(url, "--protocol", "open-inference", "--model", "m")).toBe(1);
    expect(printed.join("")).toMatch(/✗ .*\n {6}expected {2}.*\n {6}found {5}200/);
  });
  expect(await run("http://127.0.0.1:9", "--protocol", "tei")).toBe(2);
  expect(await run("nonsense", "--protocol", "tei")).toBe(2);
});
