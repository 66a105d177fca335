import { SluiceError } from "../../core/errors.ts";
import type { ConformanceCase, Verdict } from "../case.ts";
import { pass, skipped } from "../case.ts";
import { describeAnswer, judgeRefusal } from "../judge.ts";
import type { RawAnswer } from "../raw-http.ts";
import type { SampleTensor } from "./sample-inputs.ts";
import type { OpenInferenceServer } from "./server.ts";
import { infer, makeSamples, toInferRequest } from "./server.ts";

const SPEC = "Open Inference Protocol, REST: inference response error (4xx, typically 400)";
const USUAL = [400];

/** Wrong requests: each has to be refused as the caller's mistake. */
export const REFUSAL_CASES: readonly ConformanceCase<OpenInferenceServer>[] = [
  refuse("unknown-input", "an input that the model does not have", (samples) => [
    ...samples,
    { name: "no_such_input", shape: [1], datatype: "FP32", data: [1] },
  ]),
  refuse("wrong-datatype", "an input of another datatype", (samples) =>
    changeFirst(samples, (first) => ({ ...first, ...toOtherDatatype(first) })),
  ),
  refuse("unknown-datatype", "a datatype that does not exist", (samples) =>
    changeFirst(samples, (first) => ({ ...first, datatype: "FP31" })),
  ),
  refuse("wrong-rank", "an input with too many dimensions", (samples) =>
    // Twos, because sizes of 1 are often taken as if they were not there.
    changeFirst(samples, (first) => ({
      ...first,
      shape: [...first.shape, 2, 2],
      data: Array.from({ length: 4 }, () => first.data).flat(),
    })),
  ),
  refuse("missing-inputs", "a list of inputs that is empty", () => []),
  refuse("too-few-elements", "fewer elements than the shape says", (samples) =>
    changeFirst(samples, (first) => ({ ...first, data: first.data.slice(1) })),
  ),
  refuse("too-many-elements", "more elements than the shape says", (samples) =>
    changeFirst(samples, (first) => ({ ...first, data: [...first.data, ...first.data] })),
  ),
  refuse("ragged-data", "nested data of uneven lengths", (samples) =>
    changeFirst(samples, (first) => ({ ...first, data: [first.data, first.data.slice(1)] })),
  ),
  refuse("negative-size", "a negative size", (samples) =>
    changeFirst(samples, (first) => ({ ...first, shape: first.shape.map(() => -1) })),
  ),
  refuse("fractional-size", "a size that is no whole number", (samples) =>
    changeFirst(samples, (first) => ({ ...first, shape: first.shape.map(() => 1.5) })),
  ),
  refuse("overflowing-sizes", "sizes whose product overflows", (samples) =>
    changeFirst(samples, (first) => ({ ...first, shape: first.shape.map(() => 2 ** 62) })),
  ),
  refuse("wrapping-sizes", "sizes whose product comes round to a small number", (samples) =>
    changeFirst(samples, (first) => ({ ...first, shape: [2 ** 32, 2 ** 32, ...first.shape] })),
  ),
  refuse("missing-shape", "an input without a shape", (samples) =>
    changeFirst(samples, ({ name, datatype, data }) => ({ name, datatype, data })),
  ),
  refuse("missing-data", "an input without data", (samples) =>
    changeFirst(samples, ({ name, datatype, shape }) => ({ name, datatype, shape })),
  ),
  refuseBody("malformed-json", "JSON that breaks off", (request) => request.slice(0, -7)),
  refuseBody("empty-body", "an empty body", () => ""),
  refuseBody("not-an-object", "JSON that is no object", () => "[1, 2]"),
  refuseBody("invalid-utf8", "a body that is no UTF-8", (request) =>
    Buffer.concat([Buffer.from(request.slice(0, 1)), Buffer.from([0xff, 0xfe, 0x80])]),
  ),
  {
    id: "refusal/wrong-name",
    title: "an input under another name is refused, unless it is the only one",
    source: `${SPEC}; KServe's runtimes take a single input whatever its name`,
    level: "required",
    async run(server) {
      const inputs = makeSamples(server).map((one) => ({ ...one, name: `${one.name}_not` }));
      const answer = await infer(server, { inputs });
      return inputs.length === 1 && answer.status === 200
        ? pass("the model's only input is taken by any name")
        : judgeRefusal(answer, USUAL);
    },
  },
  {
    id: "refusal/unknown-output",
    title: "an output that the model does not have is refused",
    source: SPEC,
    level: "required",
    run: async (server) =>
      judgeRefusal(
        await infer(
          server,
          toInferRequest(makeSamples(server), { outputs: [{ name: "no_such_output" }] }),
        ),
        USUAL,
      ),
  },
  {
    id: "refusal/missing-input",
    title: "a request that leaves out one of several inputs is refused",
    source: SPEC,
    level: "required",
    async run(server) {
      if (server.inputs.length < 2) return skipped("the model has one input");
      return judgeRefusal(await infer(server, toInferRequest(makeSamples(server).slice(1))), USUAL);
    },
  },
  {
    id: "refusal/unknown-model",
    title: "infer of a model that is not there is refused",
    source: "Triton and KServe use 404",
    level: "required",
    run: async (server) =>
      judgeRefusal(
        await infer(
          { ...server, modelPath: "/v2/models/no-such-model-4711" },
          toInferRequest(makeSamples(server)),
        ),
        [404],
      ),
  },
  {
    id: "refusal/deep-json",
    title: "JSON nested 10,000 deep is refused, and the server lives on",
    source: "Triton bounds the depth of JSON at 100",
    level: "required",
    async run(server) {
      const deep = `${"[".repeat(10_000)}1${"]".repeat(10_000)}`;
      const answer = await infer(server, `{"inputs":${deep}}`);
      return judgeSurvival(server, answer);
    },
  },
  {
    id: "refusal/deep-ignored-json",
    title: "JSON nested 10,000 deep in a parameter does no harm",
    source: "a server that reads what it ignores must bound it",
    level: "recommended",
    async run(server) {
      const deep = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
      const request = JSON.stringify(toInferRequest(makeSamples(server)));
      const answer = await infer(server, `{"parameters":${deep},${request.slice(1)}`);
      const verdict = await judgeSurvival(server, answer);
      return verdict.outcome === "fail" && answer.status === 200 ? pass("it is read") : verdict;
    },
  },
];

async function judgeSurvival(server: OpenInferenceServer, answer: RawAnswer): Promise<Verdict> {
  const after = await server.send({ method: "GET", path: "/v2/health/live" });
  if (after.status !== 200) {
    throw new SluiceError("unavailable", `the server is not well since: ${describeAnswer(after)}`);
  }
  return judgeRefusal(answer, USUAL);
}

type ChangeInputs = (samples: readonly SampleTensor[]) => readonly object[];

function refuse(
  id: string,
  what: string,
  change: ChangeInputs,
): ConformanceCase<OpenInferenceServer> {
  return {
    id: `refusal/${id}`,
    title: `refused: ${what}`,
    source: SPEC,
    level: "required",
    run: async (server) =>
      judgeRefusal(
        await infer(server, JSON.stringify({ inputs: change(makeSamples(server)) })),
        USUAL,
      ),
  };
}

function refuseBody(
  id: string,
  what: string,
  change: (request: string) => string | Uint8Array,
): ConformanceCase<OpenInferenceServer> {
  return {
    id: `refusal/${id}`,
    title: `refused: ${what}`,
    source: SPEC,
    level: "required",
    run: async (server) =>
      judgeRefusal(
        await server.send({
          method: "POST",
          path: `${server.modelPath}/infer`,
          headers: { "Content-Type": "application/json" },
          body: change(JSON.stringify(toInferRequest(makeSamples(server)))),
        }),
        USUAL,
      ),
  };
}

function changeFirst(
  samples: readonly SampleTensor[],
  change: (first: SampleTensor) => object,
): readonly object[] {
  const [first, ...rest] = samples;
  return first === undefined ? [] : [change(first), ...rest];
}

/** Another datatype with data that fit it, so that only the datatype is wrong. */
function toOtherDatatype({ datatype, data }: SampleTensor): object {
  return datatype === "BYTES"
    ? { datatype: "INT32", data: data.map(() => 1) }
    : { datatype: "BYTES", data: data.map(() => "a") };
}
