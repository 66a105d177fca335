import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROTOCOLS } from "../../src/conformance/judge-server.ts";
import { createSend } from "../../src/conformance/raw-http.ts";
import { describeWithPython } from "../support/python-environment.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const RUNTIME = `
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

class Doubler(MLModel):
    async def load(self):
        return True

    async def predict(self, payload):
        x = NumpyCodec.decode_input(payload.inputs[0])
        outputs = [NumpyCodec.encode_output("y", x * 2)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
`;
const START =
  "import sys; sys.argv = ['mlserver', 'start', '.']; from mlserver.cli import main; main()";
const FLOATS = { datatype: "FP32", shape: [-1, 2] };

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

await describeWithPython("mlserver", ["mlserver==1.7.1"], (environment) => {
  let folder: string;
  let rest: string;
  let grpc: string;
  let stop: () => Promise<void> = async () => {};
  let server: TestServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-mlserver-"));
    const [http_port, grpc_port, metrics_port] = [
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    rest = `http://127.0.0.1:${http_port}`;
    grpc = `grpc://127.0.0.1:${grpc_port}`;
    const settings = { host: "127.0.0.1", http_port, grpc_port, metrics_port, parallel_workers: 0 };
    const model = {
      name: "doubler",
      implementation: "doubler.Doubler",
      inputs: [{ name: "x", ...FLOATS }],
      outputs: [{ name: "y", ...FLOATS }],
    };
    await mkdir(join(folder, "model"));
    await mkdir(join(folder, "empty"));
    await writeFile(join(folder, "settings.json"), JSON.stringify(settings));
    await writeFile(join(folder, "model", "model-settings.json"), JSON.stringify(model));
    await writeFile(join(folder, "doubler.py"), RUNTIME);
    const child = spawn(environment.python, ["-c", START], {
      cwd: folder,
      env: { ...process.env, PYTHONPATH: folder },
      stdio: "ignore",
    });
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    stop = async () => {
      child.kill("SIGKILL");
      await ended;
    };
    await untilReady(`${rest}/v2/models/doubler/ready`);
    server = await startTestServer({
      "models.directory": join(folder, "empty"),
      "models.remote": JSON.stringify([
        { name: "by-rest", protocol: "open-inference", servers: [rest], remoteName: "doubler" },
        { name: "by-grpc", protocol: "open-inference", servers: [grpc], remoteName: "doubler" },
      ]),
    });
  }, 120_000);
  afterAll(async () => {
    await server?.drain();
    await stop();
    await rm(folder, { recursive: true });
  });

  test.each(["by-rest", "by-grpc"])(
    "a model of MLServer is served %s, by every protocol of tensors",
    async (model) => {
      const native = await post("/v1/predictions", {
        model,
        inputs: {
          x: [
            [1, 2.5],
            [3, 4],
          ],
        },
      });
      expect(native).toMatchObject({ outputs: { y: { shape: [2, 2], data: [2, 5, 6, 8] } } });
      const rows = await post(`/v1/models/${model}:predict`, { instances: [[1, 2.5]] });
      expect(rows).toEqual({ predictions: [[2, 5]] });
      const inputs = [{ name: "x", shape: [1, 2], datatype: "FP32", data: [1, 2.5] }];
      const tensors = await post(`/v2/models/${model}/infer`, { inputs });
      expect(tensors).toMatchObject({ outputs: [{ name: "y", shape: [1, 2], data: [2, 5] }] });
    },
  );

  test("conformance reports what MLServer does and what it does not", async () => {
    const send = createSend({ url: new URL(rest), timeoutMs: 10_000, maxAnswerBytes: 1_000_000 });
    const judged = await PROTOCOLS["open-inference"]?.({ send, model: "doubler" });
    const outcomes = (judged?.cases ?? []).map(({ verdict }) => verdict.outcome);
    expect(judged?.cases.find(({ id }) => id === "infer/flat-data")?.verdict.outcome).toBe("pass");
    // It answers a body that is no JSON with an error in a form of its own, and has no binary tensors.
    expect(outcomes).toContain("fail");
    expect(outcomes).toContain("unsupported");
  });

  async function post(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(answer.status, await answer.clone().text()).toBe(200);
    return await answer.json();
  }
});

async function untilReady(url: string): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (performance.now() < endMs) {
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("MLServer did not start.");
}
