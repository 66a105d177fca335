import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { GraphBinding } from "./bind-graph.ts";
import { feedBatch } from "./feed-batch.ts";

function bind(type: "int64" | "int32"): GraphBinding {
  return {
    ids: { name: "input_ids", type },
    mask: { name: "attention_mask", type },
    typeIds: { name: "token_type_ids", type },
    positions: { name: "position_ids", type },
    output: { name: "logits", pooling: "none" },
  };
}

function read(batch: readonly EncodedText[], binding: GraphBinding, padId: number) {
  const { feeds, length } = feedBatch(batch, binding, padId);
  const values = feeds.map(({ name, data }) => [name, Array.from(data, Number)]);
  return { length, ...Object.fromEntries(values) };
}

const pair = { ids: Int32Array.of(101, 7, 102, 8, 102), secondStart: 3 };
const single = { ids: Int32Array.of(101, 9, 102), secondStart: 3 };

describe("a batch as a graph reads it", () => {
  for (const type of ["int64", "int32"] as const) {
    test(`ids, mask, segments and positions of a pair and a shorter text, ${type}`, () => {
      expect(read([pair, single], bind(type), 1)).toEqual({
        length: 5,
        input_ids: [101, 7, 102, 8, 102, 101, 9, 102, 1, 1],
        attention_mask: [1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
        token_type_ids: [0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
        position_ids: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4],
      });
    });
  }

  test("only what the graph has is made, in the type that it wants", () => {
    const binding = { ...bind("int64"), mask: undefined, typeIds: undefined, positions: undefined };
    const { feeds } = feedBatch([single], binding, 0);
    expect(feeds).toEqual([
      { name: "input_ids", type: "int64", data: BigInt64Array.of(101n, 9n, 102n) },
    ]);
    const [feed] = feedBatch([single], bind("int32"), 0).feeds;
    expect(feed?.data).toBeInstanceOf(Int32Array);
  });

  test("any batch comes back from the ids and the mask", () => {
    const anyText = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        fc.array(anyText, { minLength: 1, maxLength: 6 }),
        fc.nat(5),
        fc.constantFrom("int64" as const, "int32" as const),
        (texts, padId, type) => {
          const batch = texts.map((ids) => ({
            ids: Int32Array.from(ids),
            secondStart: ids.length,
          }));
          const { length, input_ids, attention_mask } = read(batch, bind(type), padId);
          const back = texts.map((_, row) =>
            input_ids
              .slice(row * length, (row + 1) * length)
              .filter((_: number, i: number) => attention_mask[row * length + i] === 1),
          );
          expect(back).toEqual(texts);
        },
      ),
    );
  });

  test("a negative id is refused", () => {
    const bad = { ids: Int32Array.of(1, -1), secondStart: 2 };
    expect(() => feedBatch([bad], bind("int64"), 0)).toThrow(
      expect.objectContaining({ code: "model_failed" }),
    );
  });
});
