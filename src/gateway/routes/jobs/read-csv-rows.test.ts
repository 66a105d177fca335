import { expect, test } from "vitest";
import type { JobRow } from "../../../core/jobs/job-row.ts";
import { readCsvRows } from "./read-csv-rows.ts";

const COLUMNS = { text: "text", pair: "pair", id: "id" };

async function readAll(text: string, columns = COLUMNS): Promise<readonly JobRow[]> {
  const rows: JobRow[] = [];
  const source = (async function* () {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
  })();
  for await (const some of readCsvRows(source, columns)) rows.push(...some);
  return rows;
}

test("columns are found by the names of the first line, in any order and case", async () => {
  const rows = await readAll('\ufeffID,label,Text\r\n1,x,"Hello, ""you"""\r\n2,y,日本\r\n\r\n');
  expect(rows).toEqual([
    { id: "1", text: 'Hello, "you"', pair: undefined },
    { id: "2", text: "日本", pair: undefined },
  ]);
});

test("the column of texts may have another name", async () => {
  const rows = await readAll("review,rating\ngood,5\n", { ...COLUMNS, text: "Review" });
  expect(rows).toEqual([{ text: "good", pair: undefined, id: undefined }]);
});

test("a row that is too short keeps its place with the reason", async () => {
  const [first, second] = await readAll("id,text\n1\n2,fine\n");
  expect(first).toMatchObject({ id: "1", problem: expect.stringContaining("fewer columns") });
  expect(second).toMatchObject({ text: "fine" });
});

test("without a column of texts the answer says how to name one", async () => {
  await expect(readAll("review,rating\ngood,5\n")).rejects.toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining("?text_column="),
  });
});

test("broken quotes are named with their line", async () => {
  await expect(readAll('text\nfine\n"open\n')).rejects.toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining("not valid CSV near line"),
  });
});

test("many rows come in pieces", async () => {
  const rows = await readAll(
    `text\n${Array.from({ length: 1000 }, (_, i) => `row ${i}`).join("\n")}`,
  );
  expect(rows).toHaveLength(1000);
  expect(rows.at(-1)).toMatchObject({ text: "row 999" });
});
