import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, skipped, unsupported } from "../case.ts";
import { describeAnswer, isAbsence, judgeProblem, judgeRefusal } from "../judge.ts";
import type { RawAnswer } from "../raw-http.ts";
import { findDifference, readInferAnswer } from "./infer-answer.ts";
import type { SampleTensor } from "./sample-inputs.ts";
import { toBytes } from "./sample-inputs.ts";
import type { OpenInferenceServer } from "./server.ts";
import { infer, makeSamples, toInferRequest } from "./server.ts";

const SOURCE = "binary tensor data extension (tritonclient uses it by default)";
const USUAL = [400];

/** The extension `binary_tensor_data`. Where it is neither listed nor working, it is not there. */
export const BINARY_CASES: readonly ConformanceCase<OpenInferenceServer>[] = [
  binary("inputs", "inputs may be bytes, with the same answer as in JSON", async (server) => {
    const samples = makeSamples(server);
    const inJson = readInferAnswer(await infer(server, toInferRequest(samples)));
    const answer = await inferBinary(server, samples);
    const inBytes = readInferAnswer(answer);
    if (inBytes.problem !== undefined) return fail("an answer with outputs", inBytes.problem);
    if (inJson.problem !== undefined) return fail("an answer in JSON", inJson.problem);
    return judgeProblem("the same outputs", findDifference(inJson.outputs, inBytes.outputs));
  }),
  binary("outputs", "an output with binary_data comes as bytes", async (server) => {
    const [wanted] = server.outputs;
    if (wanted === undefined) return skipped("the metadata lists no outputs");
    const outputs = [{ name: wanted.name, parameters: { binary_data: true } }];
    return judgeBinaryOutputs(server, { outputs });
  }),
  binary("all-outputs", "binary_data_output makes bytes of all outputs", (server) =>
    judgeBinaryOutputs(server, { parameters: { binary_data_output: true } }),
  ),
  binary("output-wins", "binary_data: false wins over binary_data_output", async (server) => {
    const [wanted] = server.outputs;
    if (wanted === undefined) return skipped("the metadata lists no outputs");
    const request = toInferRequest(makeSamples(server), {
      parameters: { binary_data_output: true },
      outputs: [{ name: wanted.name, parameters: { binary_data: false } }],
    });
    const answer = readInferAnswer(await infer(server, request));
    if (answer.problem !== undefined) return fail("an answer with outputs", answer.problem);
    return answer.outputs.some(({ isBinary }) => isBinary) ? fail("data", "bytes") : pass();
  }),
  binary("header-not-a-number", "a header length that is no number is refused", async (server) =>
    judgeRefusal(await inferBinary(server, makeSamples(server), { header: "ten" }), USUAL),
  ),
  binary("header-too-long", "a header length beyond the body is refused", async (server) =>
    judgeRefusal(await inferBinary(server, makeSamples(server), { header: "99999999" }), USUAL),
  ),
  binary("header-negative", "a negative header length is refused", async (server) =>
    judgeRefusal(await inferBinary(server, makeSamples(server), { header: "-1" }), USUAL),
  ),
  binary("bytes-missing", "fewer bytes than binary_data_size says are refused", async (server) =>
    judgeRefusal(await inferBinary(server, makeSamples(server), { cut: 1 }), USUAL),
  ),
  binary("bytes-left-over", "bytes that belong to no input are refused", async (server) =>
    judgeRefusal(await inferBinary(server, makeSamples(server), { extra: 8 }), USUAL),
  ),
  binary("size-wrong", "a binary_data_size that the shape contradicts is refused", async (server) =>
    judgeRefusal(await inferBinary(server, makeSamples(server), { lie: 3 }), USUAL),
  ),
  binary("raw-request", "a header length of 0 makes the whole body the input", async (server) => {
    const [sample, ...others] = makeSamples(server, 1);
    if (sample === undefined || others.length > 0) return skipped("the model has several inputs");
    const isText = sample.datatype === "BYTES";
    const answer = await server.send({
      method: "POST",
      path: `${server.modelPath}/infer`,
      headers: {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": "0",
      },
      body: isText ? String(sample.data[0]) : toBytes(sample),
    });
    const { problem } = readInferAnswer(answer);
    const isListed = server.extensions.has("binary_tensor_data");
    return problem !== undefined && !isListed && isAbsence(answer)
      ? unsupported(`binary_tensor_data is not listed, and a raw request gets ${problem}`)
      : judgeProblem("an answer with outputs", problem);
  }),
];

interface BinaryChanges {
  /** Instead of the true length of the JSON. */
  readonly header?: string;
  /** Bytes to leave out at the end, or to add there. */
  readonly cut?: number;
  readonly extra?: number;
  /** Bytes that the first input says and has beyond those of its elements. */
  readonly lie?: number;
}

function inferBinary(
  server: OpenInferenceServer,
  samples: readonly SampleTensor[],
  changes: BinaryChanges = {},
): Promise<RawAnswer> {
  const parts = samples.map((sample, place) =>
    Buffer.concat([toBytes(sample), Buffer.alloc(place === 0 ? (changes.lie ?? 0) : 0)]),
  );
  const json = Buffer.from(
    JSON.stringify({
      inputs: samples.map(({ name, shape, datatype }, place) => ({
        name,
        shape,
        datatype,
        parameters: { binary_data_size: parts[place]?.length ?? 0 },
      })),
      parameters: { binary_data_output: false },
    }),
  );
  const body = Buffer.concat([json, ...parts, Buffer.alloc(changes.extra ?? 0)]);
  return server.send({
    method: "POST",
    path: `${server.modelPath}/infer`,
    headers: {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": changes.header ?? `${json.length}`,
    },
    body: body.subarray(0, body.length - (changes.cut ?? 0)),
  });
}

async function judgeBinaryOutputs(
  server: OpenInferenceServer,
  more: Readonly<Record<string, unknown>>,
): Promise<Verdict> {
  const samples = makeSamples(server);
  const inJson = readInferAnswer(await infer(server, toInferRequest(samples)));
  const inBytes = readInferAnswer(await infer(server, toInferRequest(samples, more)));
  if (inBytes.problem !== undefined) return fail("an answer with outputs", inBytes.problem);
  if (inJson.problem !== undefined) return fail("an answer in JSON", inJson.problem);
  if (inBytes.outputs.some(({ isBinary }) => !isBinary)) return fail("bytes", "data in JSON");
  return judgeProblem("the same values", findDifference(inBytes.outputs, inJson.outputs));
}

function binary(
  id: string,
  title: string,
  judge: (server: OpenInferenceServer) => Promise<Verdict>,
): ConformanceCase<OpenInferenceServer> {
  return {
    id: `binary/${id}`,
    title,
    source: SOURCE,
    level: "extension",
    async run(server) {
      if (server.extensions.has("binary_tensor_data")) return judge(server);
      const answer = await inferBinary(server, makeSamples(server));
      const { problem } = readInferAnswer(answer);
      if (problem === undefined) return judge(server);
      return !isAbsence(answer)
        ? fail("an answer with outputs, or a refusal", problem)
        : unsupported(`binary_tensor_data is not listed, and bytes get ${describeAnswer(answer)}`);
    },
  };
}
