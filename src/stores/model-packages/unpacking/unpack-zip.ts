import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Entry, ZipFile } from "yauzl";
import { openPromise } from "yauzl";
import { SluiceError } from "../../../core/errors.ts";
import { codeOf, createPackageError } from "../package-files.ts";
import { EntryCheck } from "./entry-check.ts";

/** Mode bits of Unix, which archives made there have in the upper half of the attributes. */
const FILE_KIND = 0o170000;
const KINDS: ReadonlyMap<number, string> = new Map([
  [0, "file"],
  [0o100000, "file"],
  [0o040000, "folder"],
  [0o120000, "symbolic link"],
]);

/** See `unpackArchive`. */
export async function unpackZip(archive: string, target: string, maxBytes: number): Promise<void> {
  const check = new EntryCheck(maxBytes);
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(archive, { lazyEntries: true, autoClose: false });
    for await (const entry of zip.eachEntry()) await unpackEntry(zip, entry, target, check);
  } catch (thrown) {
    // What the disk has to say is told elsewhere.
    if (thrown instanceof SluiceError || codeOf(thrown)?.startsWith("E") === true) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw createPackageError(`The ZIP archive is broken: ${reason}.`, thrown);
  } finally {
    zip?.close();
  }
}

async function unpackEntry(
  zip: ZipFile,
  entry: Entry,
  target: string,
  check: EntryCheck,
): Promise<void> {
  const { fileName: name, uncompressedSize, externalFileAttributes } = entry;
  const mode = (externalFileAttributes >>> 16) & FILE_KIND;
  const kind = name.endsWith("/") ? "folder" : (KINDS.get(mode) ?? "special file");
  const problem = check.findProblem(name, kind, uncompressedSize);
  if (problem !== undefined) throw problem;
  if (entry.isEncrypted()) throw createPackageError(`The archive's file ${name} is encrypted.`);
  const path = join(target, name);
  if (kind === "folder") {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  // It refuses more, or less, than the head has promised.
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path));
}
