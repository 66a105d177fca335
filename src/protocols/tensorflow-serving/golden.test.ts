import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Tensor, TensorDatatype } from "../../core/ports/tensor.ts";
import { createTensorData } from "../../core/tensors/tensor-data.ts";
import { decodePredict } from "./decode-predict.ts";
import { encodePredict } from "./encode-predict.ts";

type Wire = readonly (number | string)[];

interface GoldenCase {
  readonly title: string;
  readonly inputs: Readonly<Record<string, readonly [TensorDatatype, readonly (number | null)[]]>>;
  readonly request: string;
  readonly refused?: string;
  readonly decoded?: { readonly form: "row" | "column" } & Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, readonly [TensorDatatype, readonly number[], Wire]>>;
  readonly response?: string;
}

const FILE = new URL(
  "../../../test/golden/protocols/tensorflow-serving/predict.json",
  import.meta.url,
);
const { cases } = JSON.parse(readFileSync(FILE, "utf8")) as { cases: readonly GoldenCase[] };

function toTensor(name: string, datatype: TensorDatatype, shape: readonly number[], values: Wire) {
  const data = createTensorData(datatype, values.length) as unknown[];
  for (const [index, value] of values.entries()) {
    data[index] =
      datatype === "INT64" ? BigInt(value) : datatype === "BYTES" ? value : Number(value);
  }
  return { name, datatype, shape, data } as unknown as Tensor;
}

describe.each(cases)("$title", ({ inputs, request, refused, decoded, outputs = {}, response }) => {
  const specs = Object.entries(inputs).map(([name, [datatype, shape]]) => ({
    name,
    datatype,
    shape,
  }));
  const decode = () =>
    decodePredict(Buffer.from(request), { inputs: specs, outputs: [] }, { maxDepth: 32 });

  test("the request means what the file says", () => {
    if (refused !== undefined) {
      expect(decode).toThrow(refused);
      return;
    }
    const { form, ...tensors } = decoded ?? { form: "row" };
    const found = decode();
    expect(found.form).toBe(form);
    const expected = Object.entries(tensors).map(([name, value]) => {
      const { shape, data } = value as { shape: readonly number[]; data: Wire };
      return toTensor(name, inputs[name]?.[0] ?? "BYTES", shape, data);
    });
    expect(found.inputs).toEqual(expected);
  });

  if (response === undefined) return;
  test("the answer is written as the file says", () => {
    const tensors = Object.entries(outputs).map(([name, [datatype, shape, values]]) =>
      toTensor(name, datatype, shape, values),
    );
    const form = decoded?.form ?? "row";
    const rows = tensors[0]?.shape[0] ?? 0;
    expect(encodePredict(tensors, { form, rows, strictJson: false })).toBe(response);
  });
});
