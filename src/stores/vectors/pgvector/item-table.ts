import type {
  VectorFilter,
  VectorItem,
  VectorMatch,
  VectorMetadata,
  VectorMetric,
} from "../../../core/ports/vector-store.ts";

/** Longest vectors that HNSW indexes, https://github.com/pgvector/pgvector#hnsw; longer ones are searched exactly. */
const MAX_INDEXED_DIMENSIONS = 2000;

/** How pgvector writes each metric; smaller is nearer for all three. */
const OPERATORS = {
  cosine: { operator: "<=>", operatorClass: "vector_cosine_ops" },
  dot: { operator: "<#>", operatorClass: "vector_ip_ops" },
  l2: { operator: "<->", operatorClass: "vector_l2_ops" },
} as const;

export function operatorOf(metric: VectorMetric): string {
  return OPERATORS[metric].operator;
}

export function toScore(metric: VectorMetric, distance: number): number {
  if (metric === "l2") return distance;
  return metric === "cosine" ? 1 - distance : -distance;
}

/** The table of a collection. Its name is made of a number, so that nothing a caller chose becomes SQL. */
export function tableOf(number: number): string {
  return `sluice_vectors_${number}`;
}

/** Statements that make a collection's table with its indexes. */
export function toTableStatements(
  number: number,
  dimensions: number,
  metric: VectorMetric,
): readonly string[] {
  const table = tableOf(number);
  const index = `CREATE INDEX ON ${table} USING hnsw (vector ${OPERATORS[metric].operatorClass})`;
  return [
    `CREATE TABLE ${table} (
      id text COLLATE "C" PRIMARY KEY,
      vector vector(${dimensions}) NOT NULL,
      text text,
      label text,
      metadata jsonb NOT NULL
    )`,
    `CREATE INDEX ON ${table} USING gin (metadata jsonb_path_ops)`,
    `CREATE INDEX ON ${table} (label)`,
    ...(dimensions <= MAX_INDEXED_DIMENSIONS ? [index] : []),
  ];
}

export interface SqlCondition {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Containment of jsonb is equality for strings, numbers and booleans. */
export function toCondition(filter: VectorFilter | undefined, firstNumber: number): SqlCondition {
  const tests: string[] = [];
  const values: unknown[] = [];
  if (filter?.label !== undefined) {
    values.push(filter.label);
    tests.push(` AND label = $${firstNumber + values.length - 1}`);
  }
  if (Object.keys(filter?.metadata ?? {}).length > 0) {
    values.push(JSON.stringify(filter?.metadata));
    tests.push(` AND metadata @> $${firstNumber + values.length - 1}::jsonb`);
  }
  return { sql: tests.join(""), values };
}

/** pgvector's text form. The shortest decimals of a 32-bit float come back as the same float. */
export function toVectorText(vector: Float32Array): string {
  return `[${vector.join(",")}]`;
}

interface ItemRow {
  readonly id: string;
  readonly text: string | null;
  readonly label: string | null;
  readonly metadata: VectorMetadata;
}

export function toMatch({ id, text, label, metadata }: ItemRow, score: number): VectorMatch {
  return { id, text: text ?? undefined, label: label ?? undefined, metadata, score };
}

export function toItem(row: ItemRow & { readonly vector: string }): VectorItem {
  const { id, text, label, metadata } = toMatch(row, 0);
  const vector = Float32Array.from(JSON.parse(row.vector) as number[]);
  return { id, text, label, metadata, vector };
}
