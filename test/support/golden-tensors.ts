import { readFileSync } from "node:fs";
import type { Tensor } from "../../src/core/ports/tensor.ts";

/** A tensor whose elements can be written down in JSON. */
export interface PlainTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /**
   * 64-bit numbers as strings of digits, FP16 as its bits, BYTES that are no text as `{hex}`; `nan`, `inf`, `-inf` and
   * `-0` as strings.
   */
  readonly data: readonly unknown[];
}

const FOLDER = new URL("../golden/protocols/", import.meta.url);

/** A golden file of a protocol. */
export function readGolden(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, FOLDER)));
}

/** What the tensors in the golden files of a folder are, by name. */
export function readGoldenTensors(folder: string): ReadonlyMap<string, PlainTensor> {
  const text = readFileSync(new URL(`${folder}/tensors.json`, FOLDER), "utf8");
  const { tensors } = JSON.parse(text) as { tensors: readonly PlainTensor[] };
  return new Map(tensors.map((tensor) => [tensor.name, tensor]));
}

/** A tensor in the terms of the golden files. */
export function toPlain({ name, datatype, shape, data }: Tensor): PlainTensor {
  return { name, datatype, shape, data: Array.from<unknown, unknown>(data, toPlainElement) };
}

function toPlainElement(element: unknown): unknown {
  if (typeof element === "bigint") return `${element}`;
  if (element instanceof Uint8Array) return { hex: Buffer.from(element).toString("hex") };
  if (typeof element !== "number") return element;
  if (Number.isNaN(element)) return "nan";
  if (Object.is(element, -0)) return "-0";
  if (Number.isFinite(element)) return element;
  return element > 0 ? "inf" : "-inf";
}
