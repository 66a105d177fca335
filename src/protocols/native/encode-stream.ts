import type { StreamedItem } from "../../core/inference/stream-inference.ts";
import type { AnswerContext } from "./encode-context.ts";
import { encodeItem } from "./encode-predictions.ts";

/** How the parts of a stream are told apart. */
export interface StreamFraming {
  readonly contentType: string;
  /** @param event what the part is; @param data JSON without line breaks */
  frame(event: "output" | "done", data: string): string;
}

/** One JSON value a line (https://github.com/ndjson/ndjson-spec). The last line has `done`. */
const NDJSON: StreamFraming = {
  contentType: "application/x-ndjson; charset=utf-8",
  frame: (_event, data) => `${data}\n`,
};

/** Server-sent events (HTML standard, section 9.2). */
const EVENTS: StreamFraming = {
  contentType: "text/event-stream; charset=utf-8",
  frame: (event, data) => `event: ${event}\ndata: ${data}\n\n`,
};

/** The stream that a caller asks for by `Accept`; undefined when it takes the whole answer at once. */
export function chooseFraming(accept: string | undefined): StreamFraming | undefined {
  if (accept === undefined) return undefined;
  if (accept.includes("application/x-ndjson")) return NDJSON;
  return accept.includes("text/event-stream") ? EVENTS : undefined;
}

/** The parts of an answer: one per text as it comes, with the text's `index`, and one that says how it went. */
export async function* encodeStream(
  items: AsyncIterable<StreamedItem>,
  { frame }: StreamFraming,
  { requestId, timestamp }: AnswerContext,
): AsyncGenerator<string, void, undefined> {
  let answered = 0;
  let failed = 0;
  for await (const { index, item } of items) {
    if (item.ok) answered++;
    else failed++;
    yield frame("output", `{"index":${index},${encodeItem(item).slice(1)}`);
  }
  const end = { done: true, answered, failed, request_id: requestId, timestamp };
  yield frame("done", JSON.stringify(end));
}
