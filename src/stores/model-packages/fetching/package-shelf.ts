import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PackageName } from "../read-package.ts";
import { describeTransferFault } from "./fetch-fault.ts";
import { withFolderLock } from "./folder-lock.ts";

/** A package that is here whole. */
export interface ShelvedPackage extends PackageName {
  /** Its folder. */
  readonly folder: string;
}

/** Where fetched packages of one source are kept, each under the content that it was fetched for. Survives restarts. */
export interface PackageShelf {
  /** Where a package is, or would be. @param content says what is in it; other content lies elsewhere */
  placeOf(name: PackageName, content: string): string;
  /** Whether there is a whole package at a place. */
  has(place: string): Promise<boolean>;
  /**
   * Makes a package, unless another process has done so meanwhile. What `make` leaves unfinished in its folder is there again
   * the next time; nobody takes it for a package.
   *
   * @param make gets a folder to work in, and returns the one below it that is the finished package
   * @throws SluiceError `unavailable` when the disk takes nothing
   */
  bring(place: string, signal: AbortSignal, make: Make): Promise<void>;
  /** Everything that is here whole, the latest first. */
  list(): Promise<readonly ShelvedPackage[]>;
  /** Removes what is at no place of `places`. Only while nothing of it serves. */
  keepOnly(places: ReadonlySet<string>): Promise<void>;
}

type Make = (workFolder: string) => Promise<string>;

const WORK = ".incoming";

/** @param root folder of its own for each source; made when something is first put there */
export function createPackageShelf(root: string): PackageShelf {
  const list = async () => {
    const found: (ShelvedPackage & { readonly madeAtMs: number })[] = [];
    for (const model of await namesIn(root)) {
      for (const version of await namesIn(join(root, model))) {
        for (const content of await namesIn(join(root, model, version))) {
          if (content.endsWith(WORK)) continue;
          const folder = join(root, model, version, content);
          const madeAtMs = (await stat(folder)).mtimeMs;
          found.push({ model, version, folder, madeAtMs });
        }
      }
    }
    return found.sort((a, b) => b.madeAtMs - a.madeAtMs);
  };
  return {
    placeOf: ({ model, version }, content) => join(root, model, version, toName(content)),
    has: isThere,
    list,
    bring: async (place, signal, make) => {
      const work = `${place}${WORK}`;
      try {
        await mkdir(work, { recursive: true });
        await withFolderLock(`${work}.lock`, signal, async () => {
          if (await isThere(place)) return;
          // Whoever had the lock before may have finished, and removed the folder.
          await mkdir(work, { recursive: true });
          const made = await make(work);
          await syncFolder(made);
          await rename(made, place);
        });
        await rm(work, { recursive: true, force: true });
      } catch (thrown) {
        throw describeTransferFault("A package", "could not be put in its place", thrown);
      }
    },
    keepOnly: async (places) => {
      for (const { folder } of await list()) {
        if (!places.has(folder)) await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Short enough for every file system, and the same content always has the same. */
function toName(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

async function isThere(place: string): Promise<boolean> {
  return await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** What the name says is there must be there after a power cut too. */
async function syncFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncFolder(path);
    else await syncFile(path);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
