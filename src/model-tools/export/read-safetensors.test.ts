import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readSafetensors } from "./read-safetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-safetensors-"));
const path = join(folder, "model.safetensors");
afterAll(() => rmSync(folder, { recursive: true }));

function writeFile(header: unknown, data: readonly ArrayBufferView[] = []): void {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const parts = data.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
  writeFileSync(path, Buffer.concat([length, text, ...parts]));
}

const header = {
  __metadata__: { format: "pt" },
  half: { dtype: "F16", shape: [3], data_offsets: [0, 6] },
  ids: { dtype: "I64", shape: [1], data_offsets: [6, 14] },
  brain: { dtype: "BF16", shape: [1, 2], data_offsets: [14, 18] },
  full: { dtype: "F32", shape: [2, 1], data_offsets: [18, 26] },
  scalar: { dtype: "F32", shape: [], data_offsets: [26, 30] },
};
const data = [
  Uint16Array.of(0x3c00, 0xc000, 0x0001),
  BigInt64Array.of(5n),
  Uint16Array.of(0x3f80, 0xc040),
  Float32Array.of(1.5, -2.5, 7),
];

test("float tensors of all widths are read, whatever their alignment, and others are left out", async () => {
  writeFile(header, data);
  const tensors = await readSafetensors(path);
  expect([...tensors.keys()]).toEqual(["half", "brain", "full", "scalar"]);
  expect(tensors.get("half")).toEqual({ shape: [3], values: Float32Array.of(1, -2, 2 ** -24) });
  expect(tensors.get("brain")).toEqual({ shape: [1, 2], values: Float32Array.of(1, -3) });
  expect(tensors.get("full")).toEqual({ shape: [2, 1], values: Float32Array.of(1.5, -2.5) });
  expect(tensors.get("scalar")).toEqual({ shape: [], values: Float32Array.of(7) });
});

test("only what is wanted is loaded", async () => {
  writeFile(header, data);
  const tensors = await readSafetensors(path, (name) => name === "full");
  expect([...tensors.keys()]).toEqual(["full"]);
});

const broken: readonly [string, () => void, string][] = [
  ["a few bytes", () => writeFileSync(path, "abc"), "only 3 bytes"],
  ["another format", () => writeFileSync(path, "PK and so on, a zip file"), "begin with a header"],
  [
    "a header that is cut off",
    () => writeFileSync(path, Buffer.of(99, 0, 0, 0, 0, 0, 0, 0)),
    "ends in its header",
  ],
  ["a header that is not JSON", () => writeFile("{"), "not JSON"],
  ["a header that is a list", () => writeFile([]), "not a JSON object"],
  [
    "elements that are cut off",
    () => writeFile(header, data.slice(0, 3)),
    "its tensor full does not fit",
  ],
  [
    "an entry that says too much",
    () => writeFile({ w: { dtype: "F32", shape: [1], data_offsets: [0, 8] } }, data),
    "its tensor w does not fit",
  ],
  [
    "an entry without a place",
    () => writeFile({ w: { dtype: "F32", shape: [-1], data_offsets: [0, 4] } }, data),
    "describes w in no way",
  ],
];
for (const [what, write, message] of broken) {
  test(`${what} is refused`, async () => {
    write();
    await expect(readSafetensors(path)).rejects.toThrow(message);
  });
}

test("a file that is not there is named", async () => {
  const missing = join(folder, "none.safetensors");
  await expect(readSafetensors(missing)).rejects.toMatchObject({ code: "not_found" });
});
