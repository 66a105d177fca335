import type { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import type { OutputSpec } from "../runner-spec.ts";
import { bindGraph } from "./bind-graph.ts";

type Value = InferenceSession.ValueMetadata;

function tensor(name: string, type: Tensor.Type, ...shape: (string | number)[]): Value {
  return { isTensor: true, name, type, shape };
}

function input(name: string, type: Tensor.Type = "int64"): Value {
  return tensor(name, type, "batch", "sequence");
}

const IDS = [input("input_ids")];
const LOGITS = [tensor("logits", "float32", "batch", 3)];
const ANY_NAME = { ids: undefined, padId: 0 };
const ROWS: OutputSpec = { name: undefined, width: undefined, pooling: "none", normalize: false };
const MEAN: OutputSpec = { ...ROWS, pooling: "mean" };

function expectRefusal(run: () => unknown, message: RegExp): void {
  expect(run).toThrow(
    expect.objectContaining({ code: "invalid_argument", message: expect.stringMatching(message) }),
  );
}

describe("inputs", () => {
  test("a transformer's are found by their usual names, whatever their order and type", () => {
    const inputs = [
      input("token_type_ids", "int32"),
      input("position_ids"),
      input("attention_mask"),
      input("input_ids", "int32"),
    ];
    expect(bindGraph(inputs, LOGITS, ANY_NAME, ROWS)).toMatchObject({
      ids: { name: "input_ids", type: "int32" },
      mask: { name: "attention_mask", type: "int64" },
      typeIds: { name: "token_type_ids", type: "int32" },
      positions: { name: "position_ids", type: "int64" },
    });
  });

  test("those that a graph does not have are not fed", () => {
    expect(bindGraph(IDS, LOGITS, ANY_NAME, ROWS)).toMatchObject({
      ids: { name: "input_ids" },
      mask: undefined,
      typeIds: undefined,
      positions: undefined,
    });
  });

  test("a name that is given is the one that counts", () => {
    const names = { ids: "tokens", padId: 0 };
    expect(bindGraph([input("tokens")], LOGITS, names, ROWS).ids.name).toBe("tokens");
    expectRefusal(() => bindGraph(IDS, LOGITS, names, ROWS), /"tokens".*found "input_ids" int64/);
  });

  test("a graph that needs something unknown is refused by its name", () => {
    const inputs = [...IDS, tensor("pixel_values", "float32", "batch", 3), input("extra")];
    expectRefusal(
      () => bindGraph(inputs, LOGITS, ANY_NAME, ROWS),
      /feed the inputs "pixel_values", "extra"/,
    );
  });

  test("ids of another type, rank or fixed size are refused", () => {
    const bad = [
      tensor("input_ids", "float32", "batch", "sequence"),
      tensor("input_ids", "int64", "sequence"),
      tensor("input_ids", "int64", 1, 128),
      { isTensor: false, name: "input_ids" } as const,
    ];
    for (const value of bad) {
      expectRefusal(() => bindGraph([value], LOGITS, ANY_NAME, ROWS), /"input_ids" must be int64/);
    }
  });
});

describe("outputs", () => {
  const bindOutput = (outputs: readonly Value[], spec: OutputSpec) =>
    bindGraph(IDS, outputs, ANY_NAME, spec).output;
  const hidden = tensor("last_hidden_state", "float32", "batch", "sequence", 8);
  const pooled = tensor("sentence_embedding", "float32", "batch", 8);
  const pooler = tensor("pooler_output", "float32", "batch", 8);

  test("logits are found among others", () => {
    const outputs = [hidden, ...LOGITS, pooler];
    expect(bindOutput(outputs, ROWS)).toEqual({ name: "logits", pooling: "none" });
  });

  test("a sentence vector of the graph's own is taken as it is", () => {
    expect(bindOutput([hidden, pooled], MEAN)).toEqual({
      name: "sentence_embedding",
      pooling: "none",
    });
  });

  test("a bare encoder's tokens are pooled, not replaced by its pooler's output", () => {
    expect(bindOutput([hidden, pooler], MEAN)).toEqual({
      name: "last_hidden_state",
      pooling: "mean",
    });
    const tokens = tensor("token_embeddings", "float16", "batch", "sequence", 8);
    const cls: OutputSpec = { ...ROWS, pooling: "cls" };
    expect(bindOutput([tokens], cls)).toEqual({ name: "token_embeddings", pooling: "cls" });
  });

  test("the only output is the one, whatever its name; among several strangers none is guessed", () => {
    const answer = tensor("answer", "float32", "batch", 3);
    expect(bindOutput([answer], ROWS).name).toBe("answer");
    const other = tensor("other", "float32", "batch", 3);
    expectRefusal(() => bindOutput([answer, other], ROWS), /found "answer".*"other"/);
    expect(bindOutput([answer, other], { ...ROWS, name: "other" }).name).toBe("other");
  });

  test("another number of labels is refused with both numbers", () => {
    expectRefusal(
      () => bindOutput(LOGITS, { ...ROWS, width: 5 }),
      /\[batch, 5\]; found "logits" float32 \[batch, 3\]/,
    );
    expect(bindOutput(LOGITS, { ...ROWS, width: 3 }).name).toBe("logits");
    expect(
      bindOutput([tensor("logits", "float32", "batch", "n")], { ...ROWS, width: 3 }).name,
    ).toBe("logits");
  });

  test("an output that is not of floats, or neither rows nor tokens, is refused", () => {
    for (const value of [
      tensor("logits", "int64", "batch", 3),
      tensor("logits", "float32", "batch"),
      tensor("logits", "float32", "batch", 2, 2, 3),
      { isTensor: false, name: "logits" } as const,
    ]) {
      expectRefusal(() => bindOutput([value], { ...ROWS, name: "logits" }), /must have an output/);
    }
  });

  test("a vector per token without pooling says what is missing", () => {
    expectRefusal(() => bindOutput([hidden], ROWS), /vector per token; say how to pool/);
  });

  test("an output whose shape the file does not say is taken at its word", () => {
    expect(bindOutput([tensor("logits", "float32")], { ...ROWS, width: 3 })).toEqual({
      name: "logits",
      pooling: "none",
    });
    expect(bindOutput([tensor("last_hidden_state", "float32")], MEAN).pooling).toBe("mean");
  });
});
