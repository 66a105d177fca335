import { matches } from "./field-reader.ts";

/** A file of a model package; `sha256` is lower-case hex over the whole file. */
export interface PackageFile {
  /** Below the package's folder, with `/` between folders. */
  readonly path: string;
  readonly sha256: string;
}

/** A path that stays inside the package's folder: no `..`, nothing absolute, no hidden files. */
export const isPackagePath = matches(/^[A-Za-z0-9_][A-Za-z0-9_-]*(?:[./][A-Za-z0-9_-]+)*$/);

export const isSha256 = matches(/^[0-9a-f]{64}$/);
