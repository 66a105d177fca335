import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type {
  VectorFilter,
  VectorItem,
  VectorMatch,
  VectorMetadata,
} from "../../../core/ports/vector-store.ts";

/** Items and filters in the terms of the file: 32-bit floats in the machine's byte order, metadata as JSON. */

type Row = Readonly<Record<string, SQLOutputValue>>;

export function toBlob(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

export function toFloats(blob: SQLOutputValue | undefined): Float32Array {
  const bytes = blob instanceof Uint8Array ? blob : new Uint8Array();
  const isAligned = bytes.byteOffset % 4 === 0;
  const { buffer, byteOffset, byteLength } = isAligned ? bytes : bytes.slice();
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** Everything of an item but its vector and its score. */
export function toMatch(row: Row, score: number): VectorMatch {
  return {
    id: String(row["id"]),
    text: toText(row["text"]),
    label: toText(row["label"]),
    // Nobody but this driver writes the column.
    metadata: JSON.parse(String(row["metadata"])) as VectorMetadata,
    score,
  };
}

export function toItem(row: Row): VectorItem {
  const { id, text, label, metadata } = toMatch(row, 0);
  return { id, text, label, metadata, vector: toFloats(row["vector"]).slice() };
}

function toText(value: SQLOutputValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

/** A condition that begins with AND, and what its question marks stand for. */
export interface SqlCondition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** Numbers equal numbers and booleans booleans, which SQL itself would not tell apart. */
export function toCondition(filter: VectorFilter | undefined): SqlCondition {
  const sql: string[] = [];
  const values: SQLInputValue[] = [];
  if (filter?.label !== undefined) {
    sql.push(" AND label = ?");
    values.push(filter.label);
  }
  for (const [key, value] of Object.entries(filter?.metadata ?? {})) {
    const [test, wanted] = toTest(value);
    sql.push(` AND EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND ${test})`);
    values.push(key, wanted);
  }
  return { sql: sql.join(""), values };
}

function toTest(value: string | number | boolean): readonly [string, SQLInputValue] {
  if (typeof value === "string") return ["type = 'text' AND atom = ?", value];
  if (typeof value === "number") return ["type IN ('integer', 'real') AND atom = ?", value];
  return ["type = ?", String(value)];
}
