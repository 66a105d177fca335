import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { create, Header } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { unpackArchive } from "../../src/stores/model-packages/unpacking/unpack-archive.ts";
import { writeZip } from "../support/zip-archive.ts";

const MAX_BYTES = 1024 * 1024;

let folder: string;
let target: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-unpack-"));
  target = join(folder, "target", "below");
  await mkdir(target, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function unpack(bytes: Uint8Array, maxBytes = MAX_BYTES): Promise<string> {
  await writeFile(join(folder, "archive"), bytes);
  return await unpackArchive(join(folder, "archive"), target, maxBytes);
}

interface TarEntry {
  readonly path: string;
  readonly type?: "File" | "Directory" | "SymbolicLink" | "Link" | "CharacterDevice" | "FIFO";
  readonly bytes?: Uint8Array;
  readonly linkpath?: string;
}

/** A tar archive, also one that no tool would make. */
function writeTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = "File", bytes = new Uint8Array(), linkpath }) => {
    const head = Buffer.alloc(512);
    const settings = { path, type, size: bytes.length, mode: 0o644, mtime: new Date(0) };
    new Header({ ...settings, ...(linkpath !== undefined && { linkpath }) }).encode(head);
    return [head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Everything below a folder, with its contents. */
async function readAll(root: string): Promise<Record<string, string>> {
  const names = await readdir(root, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const found = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(root.length + 1), await readFile(path, "latin1")] as const;
  });
  return Object.fromEntries((await Promise.all(found)).sort());
}

const FILES = { "manifest.json": "{}", "deep/er/model.onnx": "weights" };
const bytesOf = (text: string) => Buffer.from(text, "latin1");
const tarOf = (files: Readonly<Record<string, string>>) =>
  writeTar(Object.entries(files).map(([path, text]) => ({ path, bytes: bytesOf(text) })));
const zipOf = (files: Readonly<Record<string, string>>) =>
  writeZip(Object.entries(files).map(([name, text]) => ({ name, bytes: bytesOf(text) })));

describe("an archive", () => {
  test.each([
    ["tar", tarOf(FILES)],
    ["tar with gzip", gzipSync(tarOf(FILES))],
    ["ZIP", zipOf(FILES)],
  ])("of kind %s has its files unpacked", async (_kind, bytes) => {
    expect(await unpack(bytes)).toBe(target);
    expect(await readAll(target)).toEqual(FILES);
  });

  test("made by the usual tool, with a folder around the package, is the package in it", async () => {
    const made = join(folder, "made");
    await mkdir(join(made, "reviews-1.0.0", "onnx"), { recursive: true });
    await writeFile(join(made, "reviews-1.0.0", "manifest.json"), "{}");
    await writeFile(join(made, "reviews-1.0.0", "onnx", "model.onnx"), "weights");
    const file = join(folder, "made.tgz");
    await create({ gzip: true, file, cwd: made }, ["."]);
    const root = await unpack(await readFile(file));
    expect(root).toBe(join(target, "reviews-1.0.0"));
    expect(await readAll(root)).toEqual({ "manifest.json": "{}", "onnx/model.onnx": "weights" });
  });

  test("comes back as it was packed, whatever is in it", async () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    const content = fc.uint8Array({ maxLength: 3000 });
    const files = fc.uniqueArray(fc.tuple(path, content), {
      minLength: 2,
      maxLength: 6,
      // On some file systems A is a.
      selector: ([one]) => one.split("/")[0]?.toLowerCase(),
    });
    let run = 0;
    const kinds = fc.constantFrom("tar", "tgz", "zip");
    await fc.assert(
      fc.asyncProperty(files, kinds, async (pairs, kind) => {
        const texts = Object.fromEntries(
          pairs.map(([one, bytes]) => [one, Buffer.from(bytes).toString("latin1")]),
        );
        target = join(folder, `run-${run++}`);
        await mkdir(target);
        const tar = tarOf(texts);
        await unpack(kind === "zip" ? zipOf(texts) : kind === "tgz" ? gzipSync(tar) : tar);
        expect(await readAll(target)).toEqual(texts);
      }),
      { numRuns: 40 },
    );
  });
});

describe("an archive that is not what it should be is refused:", () => {
  const outside = (path: string) => writeTar([{ path, bytes: bytesOf("evil") }]);
  const zipEntry = (entry: object) => writeZip([{ name: "a", bytes: bytesOf("evil"), ...entry }]);
  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /no tar or ZIP archive|is empty/],
    ["a page instead", bytesOf("<!doctype html><p>Not found".repeat(40)), /no tar or ZIP/],
    ["broken gzip", gzipSync(tarOf(FILES)).subarray(0, 60), /broken/],
    ["a tar that ends early", tarOf({ a: "x".repeat(5000) }).subarray(0, 2000), /broken/],
    ["an absolute name", outside("/tmp/sluice-evil"), /outside/],
    ["a name that climbs", outside("../../evil"), /outside/],
    ["a name that climbs later", outside("a/../../../evil"), /outside/],
    [
      "a symbolic link",
      writeTar([{ path: "out", type: "SymbolicLink", linkpath: "/etc" }, { path: "out/x" }]),
      /SymbolicLink/,
    ],
    ["a hard link", writeTar([{ path: "x", type: "Link", linkpath: "/etc/passwd" }]), /Link/],
    ["a device", writeTar([{ path: "null", type: "CharacterDevice" }]), /CharacterDevice/],
    ["a pipe", writeTar([{ path: "pipe", type: "FIFO" }]), /FIFO/],
    ["an empty ZIP", writeZip([]), /empty/],
    ["a ZIP that ends early", zipOf(FILES).subarray(0, 80), /ZIP archive is broken/],
    ["a ZIP with a name that climbs", zipEntry({ name: "../evil" }), /broken.*\.\.\/evil/],
    ["a ZIP with an absolute name", zipEntry({ name: "/evil" }), /broken.*absolute/],
    ["a ZIP with a link", zipEntry({ mode: 0o120777 }), /symbolic link/],
    ["a ZIP with a device", zipEntry({ mode: 0o020666 }), /special file/],
    ["a ZIP with a secret", zipEntry({ flags: 1 }), /encrypted/],
    ["a ZIP that says less than it holds", zipEntry({ statedSize: 1 }), /broken/],
    ["a ZIP that says more than it holds", zipEntry({ statedSize: 900 }), /broken/],
    ["too much", tarOf({ a: "x".repeat(MAX_BYTES + 1) }), /longer than 1 MB/],
    ["too much that shrinks", gzipSync(tarOf({ a: "\0".repeat(MAX_BYTES + 1) })), /longer than/],
    ["too much in a ZIP", zipEntry({ bytes: new Uint8Array(MAX_BYTES + 1) }), /longer than/],
    [
      "too many files",
      writeTar(Array.from({ length: 10_001 }, (_, at) => ({ path: `${at}` }))),
      /more than 10000 files/,
    ],
  ])("%s", async (_name, bytes, reason) => {
    await expect(unpack(bytes)).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(reason),
    });
    expect(await readdir(join(folder, "target"))).toEqual(["below"]);
    expect((await readdir(folder)).sort()).toEqual(["archive", "target"]);
  });

  test("a link that lies in the target already is not followed", async () => {
    await symlink(folder, join(target, "out"));
    await expect(unpack(outside("out/evil"))).rejects.toThrow();
    expect(await readdir(folder)).not.toContain("evil");
  });
});
