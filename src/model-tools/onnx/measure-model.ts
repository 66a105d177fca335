import type { InferenceSession, Tensor } from "onnxruntime-node";
import { SluiceError } from "../../core/errors.ts";
import type { GraphProto } from "../../generated/onnx_pb.ts";
import { createGraphIndex } from "./graph-index.ts";
import { loadOnnxRuntime, openOrtSession } from "./onnx-runtime.ts";
import { listTokenInputs } from "./sequence-values.ts";

/** How long one text of a certain length takes. */
export interface RunTime {
  readonly tokens: number;
  /** Median of the runs, in milliseconds; undefined when the model refuses this length. */
  readonly medianMs: number | undefined;
  /** Fastest of the runs, in milliseconds, which other work on the machine disturbs least. */
  readonly bestMs: number | undefined;
}

/** Per length. */
const LEAST_RUNS = 5;
const MEASURED_MS = 1000;

/**
 * Runs a model of texts on made-up ids, one text at a time and on one thread, as a server's worker does.
 *
 * @throws SluiceError `unavailable` when ONNX Runtime cannot be loaded; `invalid_argument` when it refuses the model, or
 * the model wants other inputs than ids, mask, segments and positions.
 */
export async function measureModel(
  path: string,
  graph: GraphProto,
  lengths: readonly number[],
): Promise<RunTime[]> {
  const runtime = await loadOnnxRuntime();
  const makers = toInputMakers(graph);
  const session = await openOrtSession(runtime, path, 1);
  try {
    const times: RunTime[] = [];
    for (const tokens of lengths) {
      const feeds = Object.fromEntries(
        makers.map(({ name, isInt32, toValue }) => {
          const values = Int32Array.from({ length: tokens }, (_, at) => toValue(at));
          const tensor = isInt32
            ? new runtime.Tensor("int32", values, [1, tokens])
            : new runtime.Tensor("int64", BigInt64Array.from(values, BigInt), [1, tokens]);
          return [name, tensor];
        }),
      );
      times.push({ tokens, ...(await timeRuns(session, feeds)) });
    }
    return times;
  } finally {
    await session.release();
  }
}

async function timeRuns(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<{ medianMs: number | undefined; bestMs: number | undefined }> {
  try {
    await session.run(feeds);
  } catch {
    return { medianMs: undefined, bestMs: undefined };
  }
  const times: number[] = [];
  const end = performance.now() + MEASURED_MS;
  while (times.length < LEAST_RUNS || performance.now() < end) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { medianMs: times[Math.floor(times.length / 2)], bestMs: times[0] };
}

interface InputMaker {
  readonly name: string;
  readonly isInt32: boolean;
  /** What stands at a position of the input. */
  readonly toValue: (position: number) => number;
}

function toInputMakers(graph: GraphProto): InputMaker[] {
  const tokenInputs = new Set(listTokenInputs(graph));
  const initializers = new Set(graph.initializer.map(({ name }) => name));
  return graph.input
    .filter(({ name }) => !initializers.has(name))
    .map(({ name, type }) => {
      const toValue = createValueMaker(name, graph);
      if (toValue === undefined || !tokenInputs.has(name)) {
        throw new SluiceError(
          "invalid_argument",
          `Only models of texts can be measured; "${name}" is none of their usual inputs.`,
        );
      }
      return { name, isInt32: type?.value.value?.elemType === INT32, toValue };
    });
}

/** The number of the element type in the format. */
const INT32 = 6;

function createValueMaker(
  name: string,
  graph: GraphProto,
): ((position: number) => number) | undefined {
  if (/^(?:.*_)?ids$/.test(name) && !/(?:token_type|segment|position)_ids$/.test(name)) {
    const rows = countTableRows(name, graph);
    // Ids all over the table, as texts have them, and never the first, which is padding.
    return (position) => 1 + ((position * 7919) % (rows - 1));
  }
  if (/mask$/.test(name)) return () => 1;
  if (/(?:token_type|segment)_ids$/.test(name)) return () => 0;
  if (/position_ids$/.test(name)) return (position) => position;
  return undefined;
}

const UNKNOWN_ROWS = 100;

/** Rows of the table in which the input's ids are looked up; a small number when it is not found. */
function countTableRows(input: string, graph: GraphProto): number {
  const index = createGraphIndex(graph);
  const lookups = index.consumersOf(input).filter(({ node }) => node.opType === "Gather");
  const rows = lookups.flatMap(({ node }) => {
    const table = index.constantOf(node.input[0] ?? "");
    return table === undefined ? [] : [Number(table.dims[0])];
  });
  return rows.length === 0 ? UNKNOWN_ROWS : Math.max(2, Math.min(...rows));
}
