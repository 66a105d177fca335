import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

/** Files beyond these change nothing about a fingerprint: no package has so many, and a loop of links has no end. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 8;

/**
 * A text that changes when any file below a folder does: names, sizes, times and identities, not contents. Links are followed,
 * since Kubernetes replaces whole volumes by changing one. What cannot be looked at counts as not there.
 */
export async function fingerprintFolder(folder: string): Promise<string> {
  const hash = createHash("sha256");
  let files = 0;
  const walk = async (path: string, name: string, depth: number): Promise<void> => {
    const found = await look(path);
    if (found === undefined || files > MAX_FILES) return;
    if (!found.isDirectory()) {
      files++;
      const { size, mtimeMs, ino } = found;
      hash.update(JSON.stringify([name, size, mtimeMs, ino]));
      return;
    }
    hash.update(JSON.stringify([name, await realpath(path).catch(() => "")]));
    if (depth === MAX_DEPTH) return;
    const names = await readdir(path).catch((): string[] => []);
    for (const one of names.sort()) await walk(join(path, one), `${name}/${one}`, depth + 1);
  };
  await walk(folder, "", 0);
  return hash.digest("hex");
}

async function look(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}
