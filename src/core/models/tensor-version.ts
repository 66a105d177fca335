import type { TensorBackend } from "../ports/tensor-backend.ts";
import type { TensorQueue } from "../tensors/tensor-queue.ts";
import type { TensorManifest } from "./manifest.ts";
import type { VersionStatistics } from "./version-statistics.ts";

/** A loaded version of a tensor model with everything that a request needs from it. */
export interface TensorVersion {
  readonly manifest: TensorManifest;
  /** Of the package's files; see `ModelPackage.digest`. */
  readonly digest: string;
  readonly backend: TensorBackend;
  readonly queue: TensorQueue;
  /** Hears what happens to it, and adds it up. */
  readonly observer: VersionStatistics;
}
