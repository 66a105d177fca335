import { expect, test } from "vitest";
import { decodeJob } from "./decode-job.ts";

const URL_OF_ROWS = "https://files.example.org/a.csv";

function problemsOf(body: unknown): unknown {
  try {
    return decodeJob(body);
  } catch (error) {
    return (error as { details: readonly { field: string }[] }).details.map(({ field }) => field);
  }
}

test("a source has an address, and perhaps a format and columns", () => {
  expect(decodeJob({ source: { url: URL_OF_ROWS } }).rows).toEqual({
    ...{ url: URL_OF_ROWS, format: undefined },
    columns: { text: undefined, pair: undefined, id: undefined },
  });
  const source = {
    ...{ url: URL_OF_ROWS, format: "csv" },
    ...{ text_column: "review", pair_column: "answer", id_column: null },
  };
  const { request, rows } = decodeJob({ model: "m", source });
  expect(request.model).toBe("m");
  expect(rows).toEqual({
    ...{ url: URL_OF_ROWS, format: "csv" },
    columns: { text: "review", pair: "answer", id: undefined },
  });
});

test.each([
  ["beside texts", { texts: ["a"], source: { url: URL_OF_ROWS } }, ["source"]],
  ["beside rows", { rows: ["a"], source: { url: URL_OF_ROWS } }, ["source"]],
  ["all three", { texts: ["a"], rows: ["a"], source: {} }, ["rows", "source"]],
  ["none of the three", { model: "m" }, ["rows"]],
  ["no object", { source: URL_OF_ROWS }, ["source"]],
  ["null", { source: null }, ["source"]],
  ["a list", { source: [] }, ["source"]],
  ["no address", { source: {} }, ["source.url"]],
  ["an address that is no text", { source: { url: 7 } }, ["source.url"]],
  ["an unknown format", { source: { url: URL_OF_ROWS, format: "xml" } }, ["source.format"]],
  [
    "columns of what has none",
    { source: { url: URL_OF_ROWS, format: "ndjson", text_column: "a" } },
    ["source.format"],
  ],
  ["an empty column", { source: { url: URL_OF_ROWS, id_column: "" } }, ["source.id_column"]],
  ["an unknown field", { source: { url: URL_OF_ROWS, headers: {} } }, ["source.headers"]],
])("%s is refused with its field", (_what, body, fields) => {
  expect(problemsOf(body)).toEqual(fields);
});
