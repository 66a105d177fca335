import { expect, test } from "vitest";
import {
  readGoldenAnswers,
  toGoldenAnswer,
} from "../../../test/golden/protocols/open-inference/golden-answers.ts";
import type { GoldenRequest } from "../../../test/golden/protocols/open-inference/golden-requests.ts";
import { readGoldenRequests } from "../../../test/golden/protocols/open-inference/golden-requests.ts";
import type { TensorSignature } from "../../core/ports/tensor.ts";
import { decodeInfer } from "./decode-infer.ts";
import { encodeInfer } from "./encode-infer.ts";

const REQUESTS = readGoldenRequests();
const ANSWERS = readGoldenAnswers();

function decode({ body, headerLength, inputs }: GoldenRequest) {
  const specs = inputs.map(({ name, datatype }) => ({ name, datatype, shape: undefined }));
  const signature: TensorSignature = { inputs: specs, outputs: specs };
  return decodeInfer(body, headerLength, signature, { maxJsonDepth: 10 });
}

test.each(REQUESTS)("a body that the official client made is understood: $name", (golden) => {
  expect(decode(golden).inputs).toEqual(golden.inputs);
});

test("what a caller can say beside tensors is understood", () => {
  const golden = REQUESTS.find(({ name }) => name === "everything that a caller can say");
  if (golden === undefined) throw new Error("no such golden request");
  expect(decode(golden)).toMatchObject({
    id: "request 1",
    parameters: {
      priority: 2,
      timeoutUs: 1_500_000,
      binaryDataOutput: false,
      others: { text: "t", whole: 7, part: 0.5, truth: true },
    },
    outputs: [
      { name: "a", binary: true, classification: undefined },
      { name: "b", binary: false, classification: undefined },
      { name: "c", binary: false, classification: 3 },
    ],
  });
});

test("the official client asks for binary outputs when it names none", () => {
  const [first] = REQUESTS;
  if (first === undefined) throw new Error("no golden requests");
  expect(decode(first).parameters.binaryDataOutput).toBe(true);
  expect(decode(first).outputs).toBeUndefined();
});

test.each(ANSWERS)("the answer that the official client read is still given: $name", (golden) => {
  const [kind, name] = golden.name.split(/: (.*)/s);
  const request = REQUESTS.find((other) => other.name === name);
  if (request === undefined) throw new Error(`no golden request ${name}`);
  const answer = { model: "m", version: "1.0.0", id: undefined, outputs: request.inputs };
  const encoded = encodeInfer(answer, () => kind === "binary");
  expect(toGoldenAnswer(golden.name, encoded)).toEqual(golden);
});
