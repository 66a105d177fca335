import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobRow } from "../../../core/jobs/job-row.ts";
import { readNdjsonRows } from "./read-ndjson-rows.ts";

const row = (text: string, more: { pair?: string; id?: string } = {}) => ({
  text,
  pair: more.pair,
  id: more.id,
});

async function readAll(pieces: readonly Uint8Array[]): Promise<readonly JobRow[]> {
  const rows: JobRow[] = [];
  const source = (async function* () {
    yield* pieces;
  })();
  for await (const some of readNdjsonRows(source)) rows.push(...some);
  return rows;
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("a line is a text, or a text with a second one and a name", async () => {
  const lines = [
    '"one"',
    '{"text":"two","pair":"and","id":7}',
    "",
    "  ",
    '{"text":"three","id":"c"}',
  ];
  expect(await readAll([bytes(lines.join("\r\n"))])).toEqual([
    row("one"),
    row("two", { pair: "and", id: "7" }),
    row("three", { id: "c" }),
  ]);
});

test.each([
  ["not json", "is not JSON"],
  ["7", "must be a text or {text, pair, id}; found the number 7"],
  ['{"id":"a"}', "text must be a string; found nothing"],
  ['{"text":"x","lable":"y"}', "lable is not a field; known are text, pair, id"],
  ['{"text":"x","pair":3}', "pair must be a string; found the number 3"],
  [
    '{"text":"x","id":{}}',
    "id must be a string or number of at most 200 characters; found an object",
  ],
])("the line %s keeps its place with the reason", async (line, reason) => {
  const [first, second] = await readAll([bytes(`${line}\n"fine"\n`)]);
  expect(first).toMatchObject({ problem: expect.stringContaining(reason) });
  expect(second).toEqual(row("fine"));
});

test("bytes that are no UTF-8 spoil their own line alone", async () => {
  const broken = new Uint8Array([0x22, 0xff, 0x22, 0x0a, ...bytes('"fine"')]);
  const [first, second] = await readAll([broken]);
  expect(first).toMatchObject({ problem: "The row is not UTF-8." });
  expect(second).toEqual(row("fine"));
});

test("a line without end is not kept in memory", async () => {
  const piece = new Uint8Array(64 * 1024).fill(0x61);
  const pieces = [...Array.from({ length: 64 }, () => piece), bytes('\n"fine"')];
  const [first, second] = await readAll(pieces);
  expect(first).toMatchObject({ problem: expect.stringContaining("longer than 1048576 bytes") });
  expect(second).toEqual(row("fine"));
});

test("it does not matter where the bytes are cut", async () => {
  const texts = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 1, max: 7 }), async (rows, size) => {
      const whole = bytes(rows.map((text) => JSON.stringify(text)).join("\n"));
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.subarray(at, at + size));
      expect(await readAll(pieces)).toEqual(rows.map((text) => row(text)));
    }),
  );
});
