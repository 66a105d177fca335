import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, ScalarType } from "@bufbuild/protobuf";
import { SluiceError } from "../core/errors.ts";

/** Parts that any message may have, however short it is. */
const FREE_PARTS = 2 ** 18;
/** Beyond those, parts must be this long on average. */
const BYTES_PER_PART = 16;
/** So many bytes of packed 64-bit numbers weigh as much as one part: each becomes an object of its own. */
const PACKED_BYTES_PER_PART = 8;
/** As the decoder itself has it. */
const MAX_DEPTH = 100;

/** What becomes of a field's bytes: further fields, one value, or packed 64-bit numbers. */
type FieldPlan = ReadonlyMap<number, FieldPlan> | "value" | "packed64";

/**
 * Creates the one way in which messages from outside are read.
 *
 * A part of two bytes becomes an object of up to two hundred, so the parts are counted before anything is built. What a
 * message takes in memory is then at most some forty times its length, above a free amount of about 50 MB. Bytes fields
 * are views of the message.
 *
 * The decoder throws SluiceError `invalid_argument` for bytes that are no such message, and `too_large` for one of too
 * many parts.
 */
export function createMessageDecoder<Schema extends DescMessage>(
  schema: Schema,
): (bytes: Uint8Array) => MessageShape<Schema> {
  const plan = createPlan(schema, new Map());
  return (bytes) => {
    try {
      assertPartsFit(bytes, plan);
      return fromBinary(schema, bytes, { readUnknownFields: false });
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      const message = `The message is no valid ${schema.typeName}.`;
      throw new SluiceError("invalid_argument", message, { cause: error });
    }
  };
}

function createPlan(
  { typeName, fields }: DescMessage,
  known: Map<string, ReadonlyMap<number, FieldPlan>>,
): ReadonlyMap<number, FieldPlan> {
  const existing = known.get(typeName);
  if (existing !== undefined) return existing;
  const plan = new Map<number, FieldPlan>();
  known.set(typeName, plan);
  for (const field of fields) plan.set(field.number, createFieldPlan(field, known));
  return plan;
}

function createFieldPlan(
  field: DescField,
  known: Map<string, ReadonlyMap<number, FieldPlan>>,
): FieldPlan {
  if (field.fieldKind === "map") {
    const value = field.message === undefined ? "value" : createPlan(field.message, known);
    return new Map<number, FieldPlan>([
      [1, "value"],
      [2, value],
    ]);
  }
  if (field.message !== undefined) return createPlan(field.message, known);
  const isLong = field.scalar === ScalarType.INT64 || field.scalar === ScalarType.UINT64;
  return field.fieldKind === "list" && isLong ? "packed64" : "value";
}

function assertPartsFit(bytes: Uint8Array, plan: ReadonlyMap<number, FieldPlan>): void {
  const limit = FREE_PARTS + bytes.byteLength / BYTES_PER_PART;
  const wire = new WireWalk(bytes, limit);
  wire.walk(plan, bytes.byteLength, 0);
}

/** Looks at the fields of a message without building anything. Source: https://protobuf.dev/programming-guides/encoding/ */
class WireWalk {
  readonly #bytes: Uint8Array;
  readonly #limit: number;
  #offset = 0;
  #parts = 0;

  constructor(bytes: Uint8Array, limit: number) {
    this.#bytes = bytes;
    this.#limit = limit;
  }

  walk(plan: ReadonlyMap<number, FieldPlan> | undefined, end: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new Error("nested too deep");
    while (this.#offset < end) {
      const tag = this.#varint();
      const wireType = tag % 8;
      if (wireType === 0) this.#varint();
      else if (wireType === 1) this.#offset += 8;
      else if (wireType === 5) this.#offset += 4;
      else if (wireType === 2) this.#walkDelimited(plan?.get(Math.floor(tag / 8)), depth);
      else throw new Error("a group, which no message has");
      this.#count(1);
    }
    if (this.#offset > end) throw new Error("a field ends beyond its message");
  }

  #walkDelimited(plan: FieldPlan | undefined, depth: number): void {
    const length = this.#varint();
    const end = this.#offset + length;
    if (end > this.#bytes.byteLength) throw new Error("cut short");
    if (plan === "packed64") this.#count(length / PACKED_BYTES_PER_PART);
    if (typeof plan === "object") this.walk(plan, end, depth + 1);
    this.#offset = end;
  }

  #count(parts: number): void {
    this.#parts += parts;
    if (this.#parts <= this.#limit) return;
    const message = `The message consists of more than ${Math.floor(this.#limit)} parts. Send large tensors as raw bytes, or in several requests.`;
    throw new SluiceError("too_large", message);
  }

  /** Exact below 2^53; more is no length and no field. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let length = 0; length < 10; length++) {
      const byte = this.#bytes[this.#offset++];
      if (byte === undefined) throw new Error("cut short");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new Error("a number of more than ten bytes");
  }
}
