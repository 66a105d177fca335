/** What a raw worker is started with. */
export interface RawWorkerSetup {
  readonly modelPath: string;
  readonly threads: number;
  readonly padId: number;
}

/** One run: the ids of its texts. */
export type IdBatch = readonly Int32Array[];

export type RawRequest =
  /** Makes tensors of batches, so that nothing but runs is measured later. */
  | { readonly kind: "prepare"; readonly batches: readonly IdBatch[] }
  /**
   * Runs batches. `next` counts the batches begun by all workers together; each takes the one that it has counted, from
   * the front again after the last, until `most` are begun or `durationMs` have passed.
   */
  | {
      readonly kind: "run";
      readonly next: Int32Array;
      readonly most: number;
      readonly durationMs: number;
    }
  | { readonly kind: "close" };

export type RawReply =
  | { readonly kind: "ready" }
  | {
      readonly kind: "done";
      readonly batches: number;
      readonly texts: number;
      /** From the first run to the end of the last. */
      readonly busyMs: number;
    }
  | { readonly kind: "failed"; readonly message: string };
