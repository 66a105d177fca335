import { request } from "node:http";
import { startServer } from "../../src/compose/server.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Tensor, TensorSignature } from "../../src/core/ports/tensor.ts";
import { decodeInfer } from "../../src/protocols/open-inference/decode-infer.ts";
import { encodeInfer } from "../../src/protocols/open-inference/encode-infer.ts";
import { encodeInferRequest } from "../../src/protocols/open-inference/encode-infer-request.ts";
import { decodePredict } from "../../src/protocols/tensorflow-serving/decode-predict.ts";
import { encodePredict } from "../../src/protocols/tensorflow-serving/encode-predict.ts";
import { encodePredictRequest } from "../../src/protocols/tensorflow-serving/encode-predict-request.ts";
import { createModelFolder } from "../../test/support/model-folder.ts";
import { writeIdentityModel } from "../../test/support/tensor-fixtures.ts";

// What a tensor of 1 MB costs to read and to write, as bytes and as JSON, and to have answered by a model that gives it
// back as it is. Run: node benchmarks/micro/tensor-bodies.ts

const FLOATS = 262_144;
const MEGABYTE = FLOATS * 4;
const ROUNDS = 21;

const data = Float32Array.from({ length: FLOATS }, (_, i) => Math.fround(Math.sin(i)));
const tensor: Tensor = { name: "x", datatype: "FP32", shape: [FLOATS], data };
const signature: TensorSignature = {
  inputs: [{ name: "x", datatype: "FP32", shape: [null] }],
  outputs: [{ name: "y", datatype: "FP32", shape: [null] }],
};
const limits = { maxJsonDepth: 32 };

/** Median of the rounds, in milliseconds. */
async function measure(run: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    await run();
    times.push(performance.now() - startedMs);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
}

function toBody(isBinary: boolean) {
  const { chunks, headerLength } = encodeInferRequest(
    { inputs: [tensor], outputs: ["y"] },
    isBinary,
  );
  return { body: Buffer.concat(chunks), headerLength: headerLength?.toString() };
}

const folder = await createModelFolder();
await folder.writeFiles("identity/1.0.0", { "model.onnx": writeIdentityModel() });
const { config } = loadConfig({
  env: {},
  directory: folder.path,
  flags: {
    "models.directory": folder.path,
    "server.port": "0",
    "grpc.listen": "off",
    "tensorflowServing.listen": "off",
    "rateLimit.requests": "0",
  },
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const server = await startServer(config, silent);

function ask(path: string, body: Uint8Array | string, headers: Record<string, string>) {
  return new Promise<void>((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { method: "POST", headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`The answer was ${answer.statusCode}.`));
      answer.resume();
      answer.on("end", resolve);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const rows: (readonly [what: string, read: number, write: number, whole: number])[] = [];
for (const [what, isBinary] of [
  ["bytes", true],
  ["JSON, Open Inference", false],
] as const) {
  const { body, headerLength } = toBody(isBinary);
  const answer = { model: "m", version: "1.0.0", id: undefined, outputs: [tensor] };
  const headers: Record<string, string> =
    headerLength === undefined ? {} : { "inference-header-content-length": headerLength };
  rows.push([
    what,
    await measure(() => decodeInfer(body, headerLength, signature, limits)),
    await measure(() => encodeInfer(answer, () => isBinary)),
    await measure(() => ask("/v2/models/identity/infer", body, headers)),
  ]);
}
const predict = encodePredictRequest([tensor]);
rows.push([
  "JSON, TensorFlow Serving",
  await measure(() => decodePredict(Buffer.from(predict), signature, { maxDepth: 32 })),
  await measure(() => encodePredict([tensor], { form: "column", rows: 0, strictJson: false })),
  await measure(() => ask("/v1/models/identity:predict", predict, {})),
]);

const copied = await measure(() => data.slice());
console.log(
  `${FLOATS} FP32, ${(MEGABYTE / 1e6).toFixed(2)} MB; copying it once: ${copied.toFixed(3)} ms; medians of ${ROUNDS}, ms\n`,
);
console.log("| as | read | write | asked of a model, there and back |");
console.log("| --- | ---: | ---: | ---: |");
for (const [what, ...times] of rows) {
  console.log(`| ${what} | ${times.map((ms) => ms.toPrecision(3)).join(" | ")} |`);
}
await server.drain();
await folder.remove();
