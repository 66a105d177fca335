import type { Backend } from "../../../../src/core/ports/backend.ts";
import type { ModelRuntime } from "../../../../src/core/ports/model-runtime.ts";

/** Stands in for `createModelRuntime` of `src/compose/models.ts`: texts become one id, and ids become logits, for nothing. */
export function createModelRuntime(): ModelRuntime {
  return {
    start: async ({ manifest }) => ({
      kind: "text",
      readsPairs: false,
      tokenizer: {
        encode: (text) => ({
          windows: [{ ids: Int32Array.of(text.length), secondStart: 1 }],
          truncated: false,
        }),
      },
      backend: createFreeBackend(manifest.task === "tensor" ? 0 : manifest.labels.length),
    }),
  };
}

/** Only the commands ask for this, and none of them runs here. */
export function openClassifier(): never {
  throw new Error("There is no inference here.");
}

/** Answers differ from text to text, so that writing them costs what it always costs. */
function createFreeBackend(labels: number): Backend {
  return {
    slots: 1,
    parallelRuns: 1,
    description: "no inference",
    cost: { fixedMs: 0.0001, perTokenMs: 0.0001 },
    pads: false,
    run: async (batch) =>
      batch.map(({ ids }) =>
        Float32Array.from({ length: labels }, (_, label) => Math.sin((ids[0] ?? 0) + label)),
      ),
    close: async () => {},
  };
}
