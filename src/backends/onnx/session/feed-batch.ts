import { SluiceError } from "../../../core/errors.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { BoundInput, GraphBinding } from "./bind-graph.ts";

/** One input of a run: `[texts, length]`, row by row. */
export interface Feed {
  readonly name: string;
  readonly type: BoundInput["type"];
  readonly data: BigInt64Array | Int32Array;
}

/** All inputs of a run. */
export interface BatchFeeds {
  readonly feeds: readonly Feed[];
  /** Ids of the longest text, which all others are padded to. */
  readonly length: number;
}

/**
 * Writes a batch as the graph wants it.
 *
 * @throws SluiceError `model_failed` for a negative id, which no tokenizer makes
 */
export function feedBatch(
  batch: readonly EncodedText[],
  binding: GraphBinding,
  padId: number,
): BatchFeeds {
  let length = 0;
  for (const { ids } of batch) length = Math.max(length, ids.length);
  const shape = { rows: batch.length, length };
  const feeds = [
    createFeed(binding.ids, shape, padId, (cells, stride) => {
      for (const [row, { ids }] of batch.entries()) {
        for (let i = 0; i < ids.length; i++) {
          const id = ids[i] as number;
          if (id < 0) throw new SluiceError("model_failed", `Ids are not negative; found ${id}.`);
          cells[stride * (row * length + i)] = id;
        }
      }
    }),
  ];
  if (binding.mask !== undefined) {
    feeds.push(
      createFeed(binding.mask, shape, 0, (cells, stride) => {
        for (const [row, { ids }] of batch.entries()) {
          for (let i = 0; i < ids.length; i++) cells[stride * (row * length + i)] = 1;
        }
      }),
    );
  }
  if (binding.typeIds !== undefined) {
    feeds.push(
      createFeed(binding.typeIds, shape, 0, (cells, stride) => {
        for (const [row, { ids, secondStart }] of batch.entries()) {
          for (let i = secondStart; i < ids.length; i++) cells[stride * (row * length + i)] = 1;
        }
      }),
    );
  }
  if (binding.positions !== undefined) {
    feeds.push(
      createFeed(binding.positions, shape, 0, (cells, stride) => {
        for (let at = 0; at < batch.length * length; at++) cells[stride * at] = at % length;
      }),
    );
  }
  return { feeds, length };
}

/**
 * @param write gets 32-bit cells, every `stride`-th of which is a value. A BigInt per id costs more than all the rest,
 * so of 64-bit values the low halves are written directly (memory is little-endian); the high halves stay zero.
 */
function createFeed(
  { name, type }: BoundInput,
  { rows, length }: { rows: number; length: number },
  fill: number,
  write: (cells: Int32Array, stride: number) => void,
): Feed {
  if (type === "int32") {
    const data = new Int32Array(rows * length);
    if (fill !== 0) data.fill(fill);
    write(data, 1);
    return { name, type, data };
  }
  const data = new BigInt64Array(rows * length);
  if (fill !== 0) data.fill(BigInt(fill));
  write(new Int32Array(data.buffer), 2);
  return { name, type, data };
}
