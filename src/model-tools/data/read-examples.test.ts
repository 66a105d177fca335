import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReadExamplesOptions } from "./read-examples.ts";
import { readExamples } from "./read-examples.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(
  name: string,
  contents: string | Uint8Array,
  options: Partial<ReadExamplesOptions> = {},
) {
  const path = join(folder, name);
  await writeFile(path, contents);
  return readExamples(path, { text: "text", label: "label", ...options });
}

describe("formats", () => {
  test("CSV: quoted fields hold commas, quotes and newlines", async () => {
    const { examples } = await read("a.csv", 'label,text\r\nx,"one, ""two""\nthree"\r\ny,four\r\n');
    expect(examples).toEqual([
      { text: 'one, "two"\nthree', label: "x" },
      { text: "four", label: "y" },
    ]);
  });

  test("TSV: quotes are plain characters, columns may be numbers when there is no header", async () => {
    const { examples } = await read("a.tsv", 'say "hi\t1\nno\t0\n', { text: "1", label: "2" });
    expect(examples).toEqual([
      { text: 'say "hi', label: "1" },
      { text: "no", label: "0" },
    ]);
  });

  test("JSON lines: labels may be numbers and booleans, blank lines are skipped", async () => {
    const { examples } = await read(
      "a.jsonl",
      '{"text":"a","label":1}\n\n{"text":"b","label":true}\n',
    );
    expect(examples.map(({ label }) => label)).toEqual(["1", "true"]);
  });

  test("gzip and a byte-order mark are read through", async () => {
    const { examples } = await read("b.csv.gz", gzipSync("\ufefftext,label\na,x\n"));
    expect(examples).toEqual([{ text: "a", label: "x" }]);
  });

  test("labels get other names", async () => {
    const labelNames = new Map([["1", "positive"]]);
    const { examples } = await read("c.csv", "text,label\na,1\nb,2\n", { labelNames });
    expect(examples.map(({ label }) => label)).toEqual(["positive", "2"]);
  });
});

describe("bad rows", () => {
  const badCsv = 'text,label\n"a\nb",x\n,y\nc\nd,z\n';

  test("are reported together with line and reason", async () => {
    await expect(read("bad.csv", badCsv, { labels: ["x", "y"] })).rejects.toThrow(
      "bad.csv has 3 bad rows:\n  line 4 has an empty text\n  line 5 has no label (label)\n" +
        '  line 6 has the unknown label "z"\n',
    );
  });

  test("are left out and returned when that is asked for", async () => {
    const { examples, badRows } = await read("bad.csv", badCsv, { skipBadRows: true });
    expect(examples.map(({ text }) => text)).toEqual(["a\nb", "d"]);
    expect(badRows.map(({ line }) => line)).toEqual([4, 5]);
  });

  test("the first twenty are listed, all are counted", async () => {
    const rows = "\t1\n".repeat(25);
    await expect(read("many.tsv", rows, { text: "1", label: "2" })).rejects.toThrow(
      /has 25 bad rows:(\n {2}line \d+ has an empty text){20}\n {2}… and 5 more/,
    );
  });

  test("invalid UTF-8 and invalid JSON are bad rows", async () => {
    const broken = Buffer.concat([
      Buffer.from('{"text":"ok","label":"x"}\n{"text":"'),
      Buffer.of(0xff),
      Buffer.from('","label":"x"}\n{"text":\n[1]\n{"text":5,"label":"x"}\n'),
    ]);
    await expect(read("broken.jsonl", broken)).rejects.toThrow(
      "line 2 is not valid UTF-8\n  line 3 is not valid JSON\n  line 4 is not a JSON object\n" +
        "  line 5 has no text (text)",
    );
    const csv = Buffer.concat([Buffer.from("text,label\nfine,x\n"), Buffer.of(0xc3, 0x28)]);
    await expect(read("broken.csv", csv)).rejects.toThrow("line 3 is not valid UTF-8");
  });
});

describe("whole files", () => {
  test("that lack a named column say which columns there are", async () => {
    await expect(read("d.csv", "body,label\na,x\n")).rejects.toThrow(
      'd.csv has no column "text"; its first line names "body", "label".',
    );
  });

  test("that do not exist, hold nothing or have an unknown format are refused", async () => {
    const options = { text: "text", label: "label" };
    await expect(readExamples(join(folder, "none.csv"), options)).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(read("e.csv", "text,label\n")).rejects.toThrow("holds no usable rows");
    await expect(read("f.doc", "")).rejects.toThrow("--format");
    await expect(read("g.csv", "a,b\n", { text: "1" })).rejects.toThrow("both as numbers");
    await expect(read("h.csv", 'text,label\na,x\n"b,y\n')).rejects.toThrow("from line 3 on");
    await expect(read("i.csv.gz", "not gzip")).rejects.toThrow("Cannot read the data file");
  });
});
