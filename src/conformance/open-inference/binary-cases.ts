import type { ConformanceCase, Verdict } from "../case.ts";
import { fail, pass, unsupported } from "../case.ts";
import type { ProbeAnswer } from "../http-probe.ts";
import { describe, expectRefusal, fieldsOf, listOf, wrongStatus } from "../judge.ts";
import type { JsonTensor, OpenInferenceTarget } from "./target.ts";
import { errorOf } from "./target.ts";

const SOURCE = "Triton, extension binary_tensor_data";
const HEADER = "inference-header-content-length";

type Case = ConformanceCase<OpenInferenceTarget>;

const SIZES: Readonly<Record<string, number>> = {
  BOOL: 1,
  UINT8: 1,
  INT8: 1,
  UINT16: 2,
  INT16: 2,
  FP16: 2,
  UINT32: 4,
  INT32: 4,
  FP32: 4,
  UINT64: 8,
  INT64: 8,
  FP64: 8,
};

/** The bytes of a tensor: little-endian, texts each behind its length in four bytes. */
function toBytes({ datatype, data }: JsonTensor): Buffer {
  return Buffer.concat(data.map((value) => elementToBytes(datatype, value)));
}

function elementToBytes(datatype: string, value: unknown): Buffer {
  if (datatype === "BYTES") {
    const text = Buffer.from(String(value));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([length, text]);
  }
  const bytes = Buffer.alloc(SIZES[datatype] ?? 4);
  if (datatype === "FP32") bytes.writeFloatLE(Number(value));
  else if (datatype === "FP64") bytes.writeDoubleLE(Number(value));
  // One half, as a half float.
  else if (datatype === "FP16") bytes.writeUInt16LE(0x3800);
  else bytes.writeUIntLE(Number(value), 0, Math.min(6, bytes.length));
  return bytes;
}

/** A body with every input in its binary part. */
function toBinaryBody(
  inputs: readonly JsonTensor[],
  more: object,
): { json: Buffer; parts: Buffer } {
  const bytes = inputs.map(toBytes);
  const heads = inputs.map(({ name, datatype, shape }, i) => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: bytes[i]?.length },
  }));
  const json = Buffer.from(JSON.stringify({ inputs: heads, ...more }));
  return { json, parts: Buffer.concat(bytes) };
}

function sendBinary(
  target: OpenInferenceTarget,
  more: object,
  change: (body: { json: Buffer; parts: Buffer }) => { length: string; body: Buffer } = ({
    json,
    parts,
  }) => ({
    length: String(json.length),
    body: Buffer.concat([json, parts]),
  }),
): Promise<ProbeAnswer> {
  const { length, body } = change(toBinaryBody(target.inputs, more));
  return target.infer(body, { "content-type": "application/octet-stream", [HEADER]: length });
}

/** A server that does not say that it has the extension is not asked to. */
const binary = (
  id: string,
  title: string,
  run: (target: OpenInferenceTarget) => Promise<Verdict>,
): Case => ({
  id: `v2.binary.${id}`,
  title,
  source: SOURCE,
  level: "extension",
  run: (target) =>
    target.extensions.includes("binary_tensor_data")
      ? run(target)
      : unsupported("not among the server's extensions"),
});

/** Whether the binary part is as long as its JSON says. */
function judgeBinaryAnswer(answer: ProbeAnswer): Verdict {
  const wrong = wrongStatus(answer, 200);
  if (wrong !== undefined) return wrong;
  const header = Number(answer.headers[HEADER]);
  if (!Number.isSafeInteger(header)) return fail(`the header ${HEADER}`, describe(answer));
  const json: unknown = JSON.parse(answer.bytes.subarray(0, header).toString());
  const outputs = listOf(fieldsOf(json)["outputs"]).map(fieldsOf);
  const sizes = outputs.map(({ parameters }) =>
    Number(fieldsOf(parameters)["binary_data_size"] ?? 0),
  );
  const sum = sizes.reduce((total, size) => total + size, 0);
  const rest = answer.bytes.length - header;
  if (sum !== rest || sum === 0) return fail(`${sum} bytes behind the JSON`, `${rest} bytes`);
  const hasData = outputs.some(
    ({ data, parameters }) =>
      data !== undefined && fieldsOf(parameters)["binary_data_size"] !== undefined,
  );
  return hasData ? fail("no data in the JSON of a binary output", "data") : pass(`${sum} bytes`);
}

const refusedLength = (id: string, title: string, toLength: (json: Buffer) => string): Case =>
  binary(id, title, async (target) => {
    const answer = await sendBinary(target, {}, ({ json, parts }) => ({
      length: toLength(json),
      body: Buffer.concat([json, parts]),
    }));
    return expectRefusal(answer, [400], errorOf);
  });

/** Tensors as bytes, which is what tritonclient sends and asks for unless it is told otherwise. */
export const BINARY_CASES: readonly Case[] = [
  binary("in", "binary inputs are read", async (target) => {
    const answer = await sendBinary(target, {});
    return wrongStatus(answer, 200) ?? pass();
  }),
  binary("out", "an output that is asked for in binary comes in binary", async (target) => {
    const [output] = target.outputs;
    const outputs = [{ name: output?.name, parameters: { binary_data: true } }];
    return judgeBinaryAnswer(await sendBinary(target, { outputs }));
  }),
  binary("out-all", "binary_data_output asks for all outputs in binary", async (target) =>
    judgeBinaryAnswer(await sendBinary(target, { parameters: { binary_data_output: true } })),
  ),
  binary("raw", "a raw request is its only input", async (target) => {
    const [input] = target.inputs;
    if (target.inputs.length > 1) return unsupported("the model has several inputs");
    const body = input.datatype === "BYTES" ? Buffer.from(String(input.data[0])) : toBytes(input);
    const answer = await target.infer(body, {
      "content-type": "application/octet-stream",
      [HEADER]: "0",
    });
    if (answer.status === 400 && target.inputs[0].shape.filter((size) => size !== 1).length > 1) {
      return unsupported("refused for a model of this shape");
    }
    return judgeBinaryAnswer(answer);
  }),
  refusedLength("length.word", "a header length that is no number is refused", () => "many"),
  refusedLength("length.long", "a header length beyond the body is refused", (json) =>
    String(json.length + 1_000_000),
  ),
  refusedLength("length.short", "a header length that cuts the JSON is refused", (json) =>
    String(json.length - 5),
  ),
  binary("size.missing", "fewer bytes than the sizes say are refused", async (target) => {
    const answer = await sendBinary(target, {}, ({ json, parts }) => ({
      length: String(json.length),
      body: Buffer.concat([json, parts.subarray(1)]),
    }));
    return expectRefusal(answer, [400], errorOf);
  }),
  binary("size.surplus", "more bytes than the sizes say are refused", async (target) => {
    const answer = await sendBinary(target, {}, ({ json, parts }) => ({
      length: String(json.length),
      body: Buffer.concat([json, parts, Buffer.alloc(3)]),
    }));
    return expectRefusal(answer, [400], errorOf);
  }),
];
