import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";
import type { DeviceOptions } from "../../src/backends/onnx/device.ts";
import { createBackendOptions, toText } from "../support/backend-options.ts";
import { writeModelFile } from "../support/onnx-fixtures.ts";
import { createSmallEncoderBytes, SMALL_ENCODER } from "../support/small-encoder.ts";

// Not run here: rows computed on a GPU, and engines that TensorRT builds. What is run is what happens without one.

type Gpu = Exclude<DeviceOptions, { kind: "cpu" }>;

/** ONNX Runtime lists providers that it could use; only their libraries tell whether it can. */
function isInstalled(kind: Gpu["kind"]): boolean {
  const root = join(dirname(createRequire(import.meta.url).resolve("onnxruntime-node")), "..");
  const folder = join(root, "bin", "napi-v6", process.platform, process.arch);
  return existsSync(join(folder, `libonnxruntime_providers_${kind}.so`));
}

let model: Awaited<ReturnType<typeof writeModelFile>>;
let junk: Awaited<ReturnType<typeof writeModelFile>>;
beforeAll(async () => {
  model = await writeModelFile(createSmallEncoderBytes());
  junk = await writeModelFile(new TextEncoder().encode("This is no model."));
});
afterAll(() => Promise.all([model.remove(), junk.remove()]));

function createGpu(kind: Gpu["kind"], fallback: Gpu["fallback"]): Gpu {
  return {
    kind,
    index: 0,
    fallback,
    shapes: undefined,
  };
}

function create(device: DeviceOptions, execution: "inline" | "workers", path = model.path) {
  return createOnnxBackend(
    createBackendOptions(path, {
      runtime: "onnxruntime",
      inputs: { ids: undefined, padId: 0 },
      output: { name: undefined, width: 3, pooling: "none", normalize: false },
      maxTokens: SMALL_ENCODER.maxPositions,
      execution,
      workers: 1,
      device,
    }),
  );
}

for (const kind of ["cuda", "tensorrt"] as const) {
  const reason = isInstalled(kind) ? ` [skipped: the provider ${kind} is installed]` : "";
  describe.skipIf(isInstalled(kind))(`without the provider ${kind}${reason}`, () => {
    for (const execution of ["inline", "workers"] as const) {
      test(`a model is refused with the way to install it, ${execution}`, async () => {
        await expect(create(createGpu(kind, "refuse"), execution)).rejects.toMatchObject({
          name: "SluiceError",
          code: "unavailable",
          message: expect.stringMatching(
            new RegExp(`^ONNX Runtime cannot use ${kind} here\\. .*npm rebuild onnxruntime-node`),
          ),
        });
      });

      test(`with the processor to fall back to, its rows come and it is said, ${execution}`, async () => {
        const onCpu = await create({ kind: "cpu" }, "inline");
        const fallen = await create(createGpu(kind, "cpu"), execution);
        const texts = [toText([2, 40, 41, 3]), toText([2, 9, 3])];
        const rows = [await onCpu.run(texts), await fallen.run(texts)];
        await Promise.all([onCpu.close(), fallen.close()]);
        expect(rows[1]).toEqual(rows[0]);
        expect(fallen.description).toContain(
          `onnxruntime on the processor, because ${kind} cannot be used here`,
        );
        expect(onCpu.description).toMatch(/^onnxruntime, inline/);
      });
    }

    test("a file that is no model is still refused as such when the processor may stand in", async () => {
      await expect(create(createGpu(kind, "cpu"), "inline", junk.path)).rejects.toMatchObject({
        code: "invalid_argument",
      });
    });
  });
}
