import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tensor } from "../../src/core/ports/tensor.ts";
import type { TensorBackend } from "../../src/core/ports/tensor-backend.ts";
import { findTensorProblem } from "../../src/core/tensors/tensor-data.ts";

/** What the suite needs of a backend. */
export interface TensorBackendUnderTest {
  readonly backend: TensorBackend;
  /** At least four sets of inputs whose outputs differ; each has all inputs, not in the order of the signature. */
  readonly questions: readonly (readonly Tensor[])[];
  /** Inputs that fit the signature and make a run fail. */
  readonly badQuestion: readonly Tensor[];
}

/** The suite of the port `core/ports/tensor-backend.ts`. `create` is called more than once and gives a fresh backend. */
export function describeTensorBackend(
  name: string,
  create: () => Promise<TensorBackendUnderTest>,
): void {
  describe(`tensor backend conformance: ${name}`, () => {
    let subject: TensorBackendUnderTest;
    let all: readonly string[];
    beforeAll(async () => {
      subject = await create();
      all = subject.backend.signature.outputs.map((output) => output.name);
    });
    afterAll(() => subject.backend.close());

    test("it offers at least one slot, no fewer than it computes at once, and says what it is", () => {
      const { slots, parallelRuns, description, signature } = subject.backend;
      expect(parallelRuns).toBeGreaterThanOrEqual(1);
      expect(slots).toBeGreaterThanOrEqual(parallelRuns);
      expect(description).not.toBe("");
      expect(signature.inputs.length).toBeGreaterThanOrEqual(1);
      expect(signature.outputs.length).toBeGreaterThanOrEqual(1);
    });

    test("outputs have the names, datatypes and sizes that the signature states", async () => {
      const outputs = await subject.backend.run(pick(subject.questions, 0), all);
      for (const [index, { name: outputName, datatype, shape }] of outputs.entries()) {
        const spec = subject.backend.signature.outputs[index];
        expect([outputName, datatype]).toEqual([spec?.name, spec?.datatype]);
        for (const [axis, size] of (spec?.shape ?? []).entries()) {
          if (size !== null) expect(shape[axis]).toBe(size);
        }
        const output = outputs[index];
        if (output !== undefined) expect(findTensorProblem(output)).toBeUndefined();
      }
    });

    test("only the outputs that are asked for are given, in the order in which they are", async () => {
      const { backend, questions } = subject;
      const together = await backend.run(pick(questions, 0), all);
      const reversed = await backend.run(pick(questions, 0), all.toReversed());
      expect(reversed).toEqual(together.toReversed());
      for (const [index, output] of all.entries()) {
        expect(await backend.run(pick(questions, 0), [output])).toEqual([together[index]]);
      }
    });

    test("as many runs as there are slots go on at once, and every caller gets its own outputs", async () => {
      const { backend, questions } = subject;
      const expected: (readonly Tensor[])[] = [];
      for (const question of questions) expected.push(await backend.run(question, all));
      expect(new Set(expected.map((outputs) => toText(outputs))).size).toBe(questions.length);
      for (let round = 0; round < 10; round++) {
        const runs = Array.from({ length: backend.slots }, (_, slot) =>
          backend.run(pick(questions, round + slot), all),
        );
        for (const [slot, outputs] of (await Promise.all(runs)).entries()) {
          expect(outputs).toEqual(pick(expected, round + slot));
        }
      }
    });

    test("a run leaves its inputs as they were, views of larger buffers too, and outputs are the caller's own", async () => {
      const { backend, questions } = subject;
      const question = pick(questions, 1).map(toView);
      const before = toText(question);
      const outputs = await backend.run(question, all);
      const kept = toText(outputs);
      await backend.run(pick(questions, 2), all);
      expect(toText(question)).toBe(before);
      expect(toText(outputs)).toBe(kept);
      expect(await backend.run(pick(questions, 1), all)).toEqual(outputs);
      for (const { data } of outputs) {
        if (ArrayBuffer.isView(data)) expect(data.buffer.byteLength).toBe(data.byteLength);
      }
    });

    test("inputs that the model refuses fail alone, and the next run is answered", async () => {
      const { backend, questions, badQuestion } = subject;
      const expected = await backend.run(pick(questions, 0), all);
      await expect(backend.run(badQuestion, all)).rejects.toMatchObject({
        name: "SluiceError",
        code: "model_failed",
      });
      expect(await backend.run(pick(questions, 0), all)).toEqual(expected);
    });

    test("close lets runs finish, refuses new ones and may be called again", async () => {
      const { backend, questions } = await create();
      const runs = Array.from({ length: backend.slots }, () =>
        backend.run(pick(questions, 0), all),
      );
      const closed = Promise.all([backend.close(), backend.close()]);
      const refused = backend.run(pick(questions, 0), all);
      await expect(refused).rejects.toMatchObject({ code: "unavailable" });
      for (const outputs of await Promise.all(runs)) expect(outputs).toHaveLength(all.length);
      await closed;
      await backend.close();
    });
  });
}

/** The same elements in the middle of a buffer, as a decoder of binary bodies hands them over. */
function toView(tensor: Tensor): Tensor {
  const { data } = tensor;
  if (!ArrayBuffer.isView(data)) return tensor;
  const bytes = new Uint8Array(data.byteLength + 16);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8);
  const Elements = data.constructor as new (
    buffer: ArrayBuffer,
    byteOffset: number,
    length: number,
  ) => typeof data;
  return { ...tensor, data: new Elements(bytes.buffer, 8, data.length) } as Tensor;
}

function toText(tensors: readonly Tensor[]): string {
  return tensors
    .map(({ name, shape, data }) => `${name} ${shape.join()} ${data.join()}`)
    .join("\n");
}

function pick<T>(values: readonly T[], index: number): T {
  return values[index % values.length] as T;
}
