import { deflateSync, gunzipSync, gzipSync } from "node:zlib";
import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, unsupported } from "../case.ts";
import type { ProbeAnswer } from "../http-probe.ts";
import { describe, expectRefusal, expectThat, fieldsOf, listOf, wrongStatus } from "../judge.ts";
import type { JsonTensor, OpenInferenceTarget } from "./target.ts";
import { errorOf } from "./target.ts";

const SPEC = "Open Inference Protocol, REST";
const TRITON = "Triton, protocol extensions";

type Case = ConformanceCase<OpenInferenceTarget>;

/** Whether an answer has the outputs of the model, each with as much data as its shape says. */
function isWholeAnswer({ json }: ProbeAnswer): boolean {
  const outputs = listOf(fieldsOf(json)["outputs"]).map(fieldsOf);
  return outputs.length > 0 && outputs.every(isWholeTensor);
}

function isWholeTensor({
  name,
  datatype,
  shape,
  data,
}: Readonly<Record<string, unknown>>): boolean {
  const elements = listOf(shape).reduce((product: number, size) => product * Number(size), 1);
  const flat = listOf(data).flat(Number.POSITIVE_INFINITY);
  return typeof name === "string" && typeof datatype === "string" && flat.length === elements;
}

/** Nested lists as the shape says, out of a flat one. */
function nest(data: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length <= 1) return data;
  const [rows = 1, ...rest] = shape;
  const stride = data.length / rows;
  return Array.from({ length: rows }, (_, i) =>
    nest(data.slice(i * stride, (i + 1) * stride), rest),
  );
}

const accepted = (
  id: string,
  title: string,
  toBody: (target: OpenInferenceTarget) => object,
): Case => ({
  id,
  title,
  source: SPEC,
  level: "required",
  run: async (target) => {
    const answer = await target.infer(toBody(target));
    return expectThat(
      answer,
      isWholeAnswer(answer),
      "outputs, each with name, datatype, shape and data",
    );
  },
});

/** A body that must be refused, made of one that is right. */
const refused = (
  id: string,
  title: string,
  toBody: (inputs: readonly [JsonTensor, ...JsonTensor[]]) => string | object,
  level: Case["level"] = "required",
): Case => ({
  id,
  title,
  source: SPEC,
  level,
  run: async (target) =>
    expectRefusal(await target.infer(toBody(target.inputs)), [400, 422], errorOf),
});

const withFirst = (inputs: readonly [JsonTensor, ...JsonTensor[]], changes: object) => {
  const [first, ...others] = inputs;
  return { inputs: [{ ...first, ...changes }, ...others] };
};

/** Inference in JSON: what must work, and what must be refused. */
export const INFER_CASES: readonly Case[] = [
  accepted("v2.infer.flat", "infer with flat data", ({ inputs }) => ({ inputs })),
  accepted("v2.infer.nested", "infer with nested data", ({ inputs }) => ({
    inputs: inputs.map((input) => ({ ...input, data: nest(input.data, input.shape) })),
  })),
  {
    id: "v2.infer.id",
    title: "the request's id comes back",
    source: SPEC,
    level: "required",
    run: async (target) => {
      const answer = await target.infer({ id: "case-7", inputs: target.inputs });
      return expectThat(answer, fieldsOf(answer.json)["id"] === "case-7", 'id "case-7"');
    },
  },
  {
    id: "v2.infer.model-name",
    title: "the answer names the model",
    source: SPEC,
    level: "required",
    run: async (target) => {
      const answer = await target.infer({ inputs: target.inputs });
      const { model_name: name } = fieldsOf(answer.json);
      return expectThat(answer, name === target.model, `model_name "${target.model}"`);
    },
  },
  {
    id: "v2.infer.outputs",
    title: "only the outputs that are asked for come",
    source: SPEC,
    level: "recommended",
    run: async (target) => {
      const name = target.outputs.at(-1)?.name;
      const answer = await target.infer({ inputs: target.inputs, outputs: [{ name }] });
      const names = listOf(fieldsOf(answer.json)["outputs"]).map(
        (output) => fieldsOf(output)["name"],
      );
      return expectThat(
        answer,
        names.length === 1 && names[0] === name,
        `the output ${name} alone`,
      );
    },
  },
  refused("v2.refuse.no-inputs", "a request without inputs is refused", () => ({})),
  refused("v2.refuse.json", "what is no JSON is refused", () => "{"),
  refused("v2.refuse.empty", "an empty body is refused", () => ""),
  refused(
    "v2.refuse.depth",
    "lists ten thousand deep are refused",
    () => `{"inputs":${"[".repeat(10_000)}`,
  ),
  refused("v2.refuse.input-name", "an unknown input is refused", ([first, ...others]) => ({
    inputs: [
      first,
      ...others,
      { name: "no_such_input_here", shape: [1], datatype: "FP32", data: [1] },
    ],
  })),
  refused(
    "v2.refuse.output-name",
    "an unknown output is refused",
    (inputs) => ({
      inputs,
      outputs: [{ name: "no_such_output_here" }],
    }),
    "recommended",
  ),
  refused("v2.refuse.datatype", "an unknown datatype is refused", (inputs) =>
    withFirst(inputs, { datatype: "FP31" }),
  ),
  refused("v2.refuse.elements", "more data than the shape says is refused", ([first, ...others]) =>
    withFirst([first, ...others], { data: [...first.data, ...first.data] }),
  ),
  refused("v2.refuse.negative", "a negative size is refused", ([first, ...others]) =>
    withFirst([first, ...others], { shape: first.shape.map(() => -1) }),
  ),
  refused("v2.refuse.overflow", "sizes whose product overflows are refused", ([first, ...others]) =>
    withFirst([first, ...others], { shape: [2 ** 31, 2 ** 31, 2 ** 31, 4] }),
  ),
  refused("v2.refuse.shape-type", "a shape that is no list of numbers is refused", (inputs) =>
    withFirst(inputs, { shape: "1" }),
  ),
  refused("v2.refuse.data-missing", "an input without data is refused", (inputs) =>
    withFirst(inputs, { data: undefined }),
  ),
  ...(
    [
      ["gzip", gzipSync],
      ["deflate", deflateSync],
    ] as const
  ).map(
    ([encoding, compress]): Case => ({
      id: `v2.compressed.${encoding}`,
      title: `a body compressed by ${encoding} is read`,
      source: TRITON,
      level: "extension",
      run: async (target) => {
        const body = compress(JSON.stringify({ inputs: target.inputs }));
        const answer = await target.infer(body, { "content-encoding": encoding });
        if (answer.status === 415) return unsupported("415");
        return expectThat(answer, isWholeAnswer(answer), "the answer to the body as it was");
      },
    }),
  ),
  {
    id: "v2.compressed.answer",
    title: "an answer is compressed for those who accept it",
    source: TRITON,
    level: "extension",
    run: async (target) => {
      // Small answers may stay as they are, so this one asks for many rows.
      const answer = await target.infer(
        { inputs: target.inputs, id: "x".repeat(4096) },
        { "accept-encoding": "gzip" },
      );
      const { "content-encoding": encoding } = answer.headers;
      if (encoding === undefined) return wrongStatus(answer, 200) ?? unsupported("sent as it is");
      const json: unknown = JSON.parse(gunzipSync(answer.bytes).toString());
      return Array.isArray(fieldsOf(json)["outputs"])
        ? pass()
        : fail("outputs once it is decompressed", describe(answer));
    },
  },
  {
    id: "v2.parameter.classification",
    title: "classification: the best classes of an output as texts",
    source: TRITON,
    level: "extension",
    run: async (target) => {
      const numeric = target.outputs.findLast(
        ({ datatype, shape }) => datatype.startsWith("FP") && shape.length > 1,
      );
      if (numeric === undefined) return unsupported("no output has a number per class");
      const outputs = [{ name: numeric.name, parameters: { classification: 1 } }];
      return judgeClasses(await target.infer({ inputs: target.inputs, outputs }));
    },
  },
  ...(
    [
      ["priority", { priority: 1 }],
      ["timeout", { timeout: 60_000_000 }],
    ] as const
  ).map(
    ([name, parameters]): Case => ({
      id: `v2.parameter.${name}`,
      title: `the parameter ${name} is taken`,
      source: TRITON,
      level: "extension",
      run: async (target) => {
        const answer = await target.infer({ inputs: target.inputs, parameters });
        if (answer.status >= 400 && answer.status < 500) return unsupported(String(answer.status));
        return expectThat(answer, isWholeAnswer(answer), "an answer as without it");
      },
    }),
  ),
];

function judgeClasses(answer: ProbeAnswer): Verdict {
  if (answer.status !== 200) return unsupported(String(answer.status));
  const [output] = listOf(fieldsOf(answer.json)["outputs"]).map(fieldsOf);
  if (output?.["datatype"] !== "BYTES") return unsupported("the numbers came as they are");
  const texts = listOf(output["data"]).map(String);
  return texts.every((text) => /^-?[\d.e+-]+:\d+(:.*)?$/i.test(text))
    ? pass(texts[0])
    : fail("value:index[:label]", describe(answer));
}
