import { create, toBinary } from "@bufbuild/protobuf";
import {
  ModelProtoSchema,
  TensorProto_DataType,
  ValueInfoProtoSchema,
} from "../../generated/onnx_pb.ts";
import { readOnnx } from "../onnx/read-onnx.ts";
import type { ModelSession, ModelSessionOptions } from "./model-session.ts";
import { openModelSession } from "./model-session.ts";

/** Receives what one text gives: `data` holds a row of `channels` numbers for each of its ids. */
export type ActivationVisitor = (value: string, data: Float32Array, channels: number) => void;

/** Runs texts through the float model and shows what it computes on the way. */
export interface ActivationSource {
  /** Visits every wanted value of every text. Texts run one by one, so no padding is among the numbers. */
  forEach(texts: readonly Int32Array[], visit: ActivationVisitor): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a float model with inner values as additional outputs. Nothing is kept between texts.
 *
 * @param values names of float32 values whose last axis is the channel.
 */
export async function openActivationSource(
  model: Uint8Array,
  values: readonly string[],
  options: ModelSessionOptions,
): Promise<ActivationSource> {
  const session = await openModelSession(addOutputs(model, values), options);
  return {
    forEach: (texts, visit) => visitAll(session, values, texts, visit),
    close: () => session.close(),
  };
}

async function visitAll(
  session: ModelSession,
  values: readonly string[],
  texts: readonly Int32Array[],
  visit: ActivationVisitor,
): Promise<void> {
  for (const ids of texts) {
    const computed = await session.run([ids], values);
    for (const value of values) {
      const { data, dims } = computed[value] ?? { data: new Float32Array(), dims: [0] };
      visit(value, data, dims.at(-1) ?? 0);
    }
  }
}

function addOutputs(model: Uint8Array, values: readonly string[]): Uint8Array {
  const changed = readOnnx(model);
  const graph = changed.graph;
  const known = new Set(graph?.output.map(({ name }) => name));
  for (const name of values) {
    if (known.has(name)) continue;
    const elemType = TensorProto_DataType.FLOAT;
    // Without a shape: the runtime infers it.
    const type = { value: { case: "tensorType" as const, value: { elemType } } };
    graph?.output.push(create(ValueInfoProtoSchema, { name, type }));
  }
  return toBinary(ModelProtoSchema, changed);
}
