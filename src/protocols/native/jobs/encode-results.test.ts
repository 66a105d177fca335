import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobResults } from "../../../core/jobs/job-service.ts";
import type { RowResult } from "../../../core/jobs/row-result.ts";
import { chooseResultFormat, encodeResults, RESULT_FORMATS } from "./encode-results.ts";

const results: readonly RowResult[] = [
  {
    kind: "labels",
    version: "1.0.0",
    labels: [
      { label: 'say "hi", you', score: 0.75 },
      { label: "b", score: 0.25 },
    ],
    truncated: false,
    id: "first",
  },
  { kind: "vector", version: "1.0.0", values: [1, -0.5], truncated: true, id: undefined },
  { kind: "error", code: "invalid_argument", message: "The text is empty.", id: "x,y" },
];

async function* chunks(): AsyncGenerator<JobResults> {
  yield { firstRow: 0, results: results.slice(0, 2) };
  yield { firstRow: 2, results: results.slice(2) };
}

async function write(format: keyof typeof RESULT_FORMATS): Promise<string> {
  let text = "";
  for await (const part of encodeResults(chunks(), RESULT_FORMATS[format])) text += part;
  return text;
}

test("NDJSON has one object per row, numbered through all chunks", async () => {
  const lines = (await write("ndjson")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      row: 0,
      id: "first",
      predictions: [
        { label: 'say "hi", you', confidence: 0.75 },
        { label: "b", confidence: 0.25 },
      ],
      model_version: "1.0.0",
    },
    { row: 1, vector: [1, -0.5], model_version: "1.0.0", truncated: true },
    { row: 2, id: "x,y", error: { code: "invalid_argument", message: "The text is empty." } },
  ]);
});

test("CSV can be read by any reader of it", async () => {
  const rows = parse(await write("csv"), { columns: true }) as Record<string, string>[];
  expect(rows).toMatchObject([
    { row: "0", id: "first", label: 'say "hi", you', confidence: "0.750000", error_code: "" },
    { row: "1", id: "", label: "", vector: "[1,-0.5]" },
    { row: "2", id: "x,y", error_code: "invalid_argument", error: "The text is empty." },
  ]);
  expect(JSON.parse(rows[0]?.["predictions"] ?? "")).toHaveLength(2);
});

test("CSV says which version answered, and of a graph which models", () => {
  const { head, encode } = RESULT_FORMATS.csv;
  const [labels] = results;
  if (labels === undefined || labels.kind !== "labels") throw new Error("There is no such result.");
  const by = {
    ...labels,
    answeredBy: [
      { model: "a", version: "1.0.0" },
      { model: "b", version: "2.0.0" },
    ],
  };
  const rows = parse(head + encode(labels, 0) + encode(by, 1), { columns: true });
  expect(rows).toMatchObject([
    { model_version: "1.0.0", answered_by: "" },
    { model_version: "1.0.0", answered_by: "a 1.0.0; b 2.0.0" },
  ]);
});

test("whatever a label or a name holds, CSV gives it back", () => {
  const { head, encode } = RESULT_FORMATS.csv;
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (label, id) => {
      // A mark at the beginning of a file would be taken for its encoding.
      const one = { label, score: 1 };
      const result = { kind: "labels", version: "1", labels: [one], truncated: false, id } as const;
      const [row] = parse(head + encode(result, 0), { columns: true }) as Record<string, string>[];
      expect(row).toMatchObject({ label, id });
    }),
  );
});

test("the format is the one asked for by name, else by Accept, else NDJSON", () => {
  expect(chooseResultFormat("csv", "application/x-ndjson")).toBe(RESULT_FORMATS.csv);
  expect(chooseResultFormat(undefined, "text/csv")).toBe(RESULT_FORMATS.csv);
  expect(chooseResultFormat(undefined, "*/*")).toBe(RESULT_FORMATS.ndjson);
  expect(chooseResultFormat("toString", undefined)).toBeUndefined();
});
