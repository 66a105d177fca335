import type { SluiceError } from "../../../core/errors.ts";
import { createPackageError } from "../package-files.ts";

/** More files than any package has. */
const MAX_FILES = 10_000;

/** Counts what an archive is made of, and says what of it may not be. */
export class EntryCheck {
  readonly #maxBytes: number;
  #bytes = 0;
  #files = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @param kind in words, as the archive names it @param bytes that its head promises */
  findProblem(
    name: string,
    kind: "file" | "folder" | string,
    bytes: number,
  ): SluiceError | undefined {
    if (kind !== "file" && kind !== "folder") {
      return createPackageError(
        `The archive holds a ${kind}, ${quote(name)}; only files may be in it.`,
      );
    }
    if (isOutside(name)) {
      return createPackageError(
        `The archive holds ${quote(name)}, which would lie outside its folder.`,
      );
    }
    this.#files++;
    this.#bytes += bytes;
    if (this.#files > MAX_FILES) {
      return createPackageError(`The archive holds more than ${MAX_FILES} files.`);
    }
    if (this.#bytes > this.#maxBytes) {
      const megabytes = Math.floor(this.#maxBytes / 1024 / 1024);
      const limit = `${megabytes} MB (models.fetching.maxMb)`;
      return createPackageError(`What the archive holds is longer than ${limit}.`);
    }
    return undefined;
  }
}

function isOutside(name: string): boolean {
  if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) return true;
  return name.includes("\\") || name.includes("\0") || name.split("/").includes("..");
}

function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
