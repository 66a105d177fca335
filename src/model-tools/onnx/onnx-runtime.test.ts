import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSmallEncoderBytes } from "../../../test/support/small-encoder.ts";
import { loadOnnxRuntime, openOrtSession } from "./onnx-runtime.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-runtime-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a model opens from its bytes and from its file", async () => {
  const runtime = await loadOnnxRuntime();
  const bytes = createSmallEncoderBytes();
  const path = join(folder, "model.onnx");
  await writeFile(path, bytes);
  for (const model of [bytes, path]) {
    const session = await openOrtSession(runtime, model, 1);
    expect(session.outputNames).toEqual(["logits"]);
    await session.release();
  }
});

test("what is no model is refused with the reason", async () => {
  const runtime = await loadOnnxRuntime();
  const junk = new TextEncoder().encode("This is no model.");
  const path = join(folder, "junk.onnx");
  await writeFile(path, junk);
  for (const model of [junk, path]) {
    await expect(openOrtSession(runtime, model, 1)).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(/^ONNX Runtime refused the model: .{10}/),
    });
  }
});
