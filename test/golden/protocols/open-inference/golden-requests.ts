import { readFileSync } from "node:fs";
import type { Tensor, TensorDatatype } from "../../../../src/core/ports/tensor.ts";
import { toHalfBits } from "../../../../src/core/tensors/half-float.ts";
import { createTensorData } from "../../../../src/core/tensors/tensor-data.ts";

type GoldenValue = string | boolean | { readonly b64: string };

interface GoldenFile {
  /** Packages and their versions. */
  readonly madeWith: string;
  readonly cases: readonly {
    readonly name: string;
    /** Base64. */
    readonly body: string;
    readonly headerLength: string | null;
    readonly inputs: readonly {
      readonly name: string;
      readonly datatype: TensorDatatype;
      readonly shape: readonly number[];
      readonly data: readonly GoldenValue[];
    }[];
  }[];
}

/** A body that the official client made, and the tensors that it was made of. */
export interface GoldenRequest {
  readonly name: string;
  readonly body: Uint8Array;
  readonly headerLength: string | undefined;
  readonly inputs: readonly Tensor[];
}

/** Bodies of requests in `requests.json`, which `make-requests.py` writes. */
export function readGoldenRequests(): readonly GoldenRequest[] {
  const text = readFileSync(new URL("requests.json", import.meta.url), "utf8");
  const { cases } = JSON.parse(text) as GoldenFile;
  return cases.map(({ name, body, headerLength, inputs }) => ({
    name,
    body: Buffer.from(body, "base64"),
    headerLength: headerLength ?? undefined,
    inputs: inputs.map((input) => {
      const data = toData(input.datatype, input.data);
      return { ...input, data } as Tensor;
    }),
  }));
}

function toData(datatype: TensorDatatype, values: readonly GoldenValue[]): Tensor["data"] {
  const data = createTensorData(datatype, values.length) as unknown[];
  for (const [index, value] of values.entries()) data[index] = toElement(datatype, value);
  return data as unknown as Tensor["data"];
}

function toElement(datatype: TensorDatatype, value: GoldenValue): unknown {
  if (typeof value === "object") return new Uint8Array(Buffer.from(value.b64, "base64"));
  if (datatype === "BYTES") return value;
  if (datatype === "INT64" || datatype === "UINT64") return BigInt(value);
  return datatype === "FP16" ? toHalfBits(Number(value)) : Number(value);
}
