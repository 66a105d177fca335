import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, small enough to be filled. */
export interface SmallDisk {
  readonly path: string;
  /** From now on nothing on it can be changed, not even by root. */
  makeReadOnly(): void;
  makeWritable(): void;
  /** Changes its size. */
  resize(kibibytes: number): void;
  /** Takes it away with everything on it. */
  remove(): void;
}

/** Why there can be none here; undefined when there can. */
export function findSmallDiskProblem(): string | undefined {
  try {
    mountDisk(64).remove();
    return undefined;
  } catch {
    return "file systems cannot be mounted here";
  }
}

/** @throws Error where that is not allowed */
export function mountDisk(kibibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "sluice-disk-"));
  const mount = (options: string, ...words: readonly string[]) =>
    execFileSync("mount", ["-o", options, ...words], { stdio: "ignore" });
  try {
    mount(`size=${kibibytes}k,mode=0777`, "-t", "tmpfs", "sluice-test", path);
    // Where mounting is only said to have worked, this would fill somebody else's disk.
    writeFileSync(join(path, "probe"), "");
    rmSync(join(path, "probe"));
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw error;
  }
  return {
    path,
    makeReadOnly: () => void mount("remount,ro", path),
    makeWritable: () => void mount("remount,rw", path),
    resize: (size) => void mount(`remount,size=${size}k`, path),
    remove: () => {
      execFileSync("umount", ["-l", path], { stdio: "ignore" });
      rmSync(path, { recursive: true, force: true });
    },
  };
}
