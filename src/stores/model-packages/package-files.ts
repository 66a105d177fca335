import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { locateJsonError } from "./locate-json-error.ts";

/** Far more than any configuration needs; tokenizers and models are not read this way. */
const MAX_JSON_BYTES = 16 * 1024 * 1024;
/** Two of these are in use at a time. Larger ones do not get faster. */
const CHUNK_BYTES = 1024 * 1024;
/** First line of what Git leaves in place of a large file that was not fetched (Git LFS specification). */
const LFS_POINTER = "version https://git-lfs.github.com/spec/";

/** What the operating system's reasons mean for a package. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it is not there (ENOENT)",
  EACCES: "the server may not read it (EACCES); change its permissions",
  EPERM: "the server may not read it (EPERM); change its permissions",
  ELOOP: "its symbolic links go round in a circle (ELOOP)",
  ENOTDIR: "what should be its folder is a file (ENOTDIR)",
  EISDIR: "it is a folder (EISDIR)",
};

/** The system's reason in words, without the absolute path that its own message repeats. */
export function describeSystemError(error: unknown): string {
  const code = codeOf(error) ?? "";
  return REASONS[code] ?? (code === "" ? String(error) : code);
}

/** Such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** Something is wrong with a package; `message` says what and how to mend it. */
export function createPackageError(message: string, cause?: unknown): SluiceError {
  return new SluiceError("invalid_argument", message, { cause });
}

/**
 * Names in the package's folder, or in a folder below it, which need not exist: then there are none.
 *
 * @param path name of the folder below; empty for the package's own
 */
export async function readNames(folder: string, path: string): Promise<readonly string[]> {
  try {
    return (await readdir(join(folder, path))).sort();
  } catch (error) {
    const code = codeOf(error);
    if (path !== "" && (code === "ENOENT" || code === "ENOTDIR")) return [];
    const reason = describeSystemError(error);
    throw createPackageError(`${path || "The folder"} cannot be read: ${reason}.`, error);
  }
}

/** A JSON file of a package. */
export interface JsonFile {
  readonly value: unknown;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
}

/**
 * Reads `path` below `folder`. A byte order mark is allowed, as Windows programs write it.
 *
 * @throws SluiceError `invalid_argument` when it is missing, no plain file, empty, not UTF-8 or not JSON; with the place.
 */
export async function readJsonFile(folder: string, path: string): Promise<JsonFile> {
  const file = await openFile(folder, path);
  try {
    const { size } = await file.stat();
    if (size > MAX_JSON_BYTES)
      throw createPackageError(`${path} has ${size} bytes; that is no configuration.`);
    const bytes = await file.readFile();
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { value: parseJson(decode(bytes, path), path), sha256 };
  } finally {
    await file.close();
  }
}

/**
 * The first `maxBytes` of a text file, or an empty text when it cannot be read: for files that are welcome, not needed.
 */
export async function readStart(folder: string, path: string, maxBytes: number): Promise<string> {
  try {
    const file = await openFile(folder, path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}

/**
 * SHA-256 of a file in lower-case hex. Reads the next chunk while one is hashed, so that it takes hardly longer than
 * the slower of the two, and as much memory for any size.
 *
 * @throws SluiceError `invalid_argument` when it is missing, no plain file, empty or only a pointer of Git LFS.
 */
export async function hashFile(folder: string, path: string): Promise<string> {
  const file = await openFile(folder, path);
  try {
    return await hashChunks(file, path);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw createPackageError(`${path} cannot be read: ${describeSystemError(error)}.`, error);
  } finally {
    await file.close();
  }
}

async function hashChunks(file: FileHandle, path: string): Promise<string> {
  const hash = createHash("sha256");
  let current = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let next = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let { bytesRead } = await file.read(current, 0, CHUNK_BYTES, null);
  if (current.toString("latin1", 0, LFS_POINTER.length) === LFS_POINTER) {
    const fix = "fetch it with: git lfs pull";
    throw createPackageError(`${path} is only a pointer of Git LFS, not the file itself; ${fix}.`);
  }
  while (bytesRead > 0) {
    const reading = file.read(next, 0, CHUNK_BYTES, null);
    hash.update(current.subarray(0, bytesRead));
    ({ bytesRead } = await reading);
    [current, next] = [next, current];
  }
  return hash.digest("hex");
}

/** Opens a plain file that is not empty. Looks first: opening a named pipe would wait for its other end. */
async function openFile(folder: string, path: string): Promise<FileHandle> {
  const fullPath = join(folder, path);
  try {
    const found = await stat(fullPath);
    if (!found.isFile()) throw createPackageError(`${path} is not a file.`);
    if (found.size === 0) throw createPackageError(`${path} is empty (0 bytes); copy it again.`);
    return await open(fullPath);
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw createPackageError(`${path} cannot be read: ${describeSystemError(error)}.`, error);
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw createPackageError(`${path} is not UTF-8.`, error);
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { line, column } = locateJsonError(text);
    const message = `${path} is not valid JSON: see line ${line}, column ${column}.`;
    throw createPackageError(message, error);
  }
}
