import type { VersionObserver } from "../ports/inference-observer.ts";
import type { TensorBackend } from "../ports/tensor-backend.ts";
import type { TensorQueue } from "../tensors/tensor-queue.ts";
import type { TensorManifest } from "./manifest.ts";

/** A loaded version of a tensor model with everything that a request needs from it. */
export interface TensorVersion {
  readonly manifest: TensorManifest;
  readonly backend: TensorBackend;
  readonly queue: TensorQueue;
  readonly observer: VersionObserver;
}
