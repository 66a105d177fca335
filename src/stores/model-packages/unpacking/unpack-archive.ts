import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createPackageError } from "../package-files.ts";
import { unpackTar } from "./unpack-tar.ts";
import { unpackZip } from "./unpack-zip.ts";

/** First bytes of a ZIP file, or of an empty one (APPNOTE 4.3). */
const ZIP_STARTS: readonly number[] = [0x04034b50, 0x06054b50];

/**
 * Unpacks a tar archive, compressed with gzip or not, or a ZIP archive. What kind it is, its bytes say. Only files and folders
 * below the target come of it: links, devices, absolute names and names with `..` are refused, and so is what grows too large.
 *
 * @param maxBytes of all files together
 * @returns the folder that is the package: the target, or the only folder in it
 * @throws SluiceError `invalid_argument` for an archive that is broken, or does what it may not
 */
export async function unpackArchive(
  archive: string,
  target: string,
  maxBytes: number,
): Promise<string> {
  const unpack = (await isZip(archive)) ? unpackZip : unpackTar;
  await unpack(archive, target, maxBytes);
  const entries = (await readdir(target, { withFileTypes: true })).filter(
    // Archives made on a Mac have these beside what was meant.
    ({ name }) => name !== "__MACOSX" && !name.startsWith("._") && name !== ".DS_Store",
  );
  const [only] = entries;
  if (only === undefined) throw createPackageError("The archive is empty.");
  return entries.length === 1 && only.isDirectory() ? join(target, only.name) : target;
}

async function isZip(archive: string): Promise<boolean> {
  const file = await open(archive);
  try {
    const start = Buffer.alloc(4);
    await file.read(start, 0, 4, 0);
    return ZIP_STARTS.includes(start.readUInt32LE());
  } finally {
    await file.close();
  }
}
