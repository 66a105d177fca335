import type { ServerProcess } from "./server-process.ts";

/** What a Sluice server has counted since its start, all models together. */
export interface ServerCounts {
  readonly texts: number;
  readonly batches: number;
  /** Ids that ran, without padding. */
  readonly ids: number;
  readonly paddingIds: number;
}

/** How the texts of some time were batched. */
export interface BatchFigures {
  /** Ids that ran, padding included, for each id that was asked for. */
  readonly paddingRatio: number;
  readonly textsPerBatch: number;
  /** Length of the texts that were drawn. */
  readonly idsPerText: number;
}

/** Reads `/metrics` of a server. */
export async function readServerCounts({
  host,
  port,
}: Pick<ServerProcess, "host" | "port">): Promise<ServerCounts> {
  const response = await fetch(`http://${host}:${port}/metrics`, {
    headers: { connection: "close" },
  });
  const page = await response.text();
  return {
    texts: sumSamples(page, "ai_model_batch_items_sum"),
    batches: sumSamples(page, "ai_model_batch_items_count"),
    ids: sumSamples(page, "ai_model_tokens_total"),
    paddingIds: sumSamples(page, "ai_model_padding_tokens_total"),
  };
}

/** Sum over all samples of this exact name on a page in the Prometheus text format. */
export function sumSamples(page: string, name: string): number {
  return page
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** @returns undefined when nothing ran in between */
export function toBatchFigures(
  before: ServerCounts,
  after: ServerCounts,
): BatchFigures | undefined {
  const texts = after.texts - before.texts;
  const ids = after.ids - before.ids;
  if (texts === 0 || ids === 0) return undefined;
  return {
    paddingRatio: (ids + after.paddingIds - before.paddingIds) / ids,
    textsPerBatch: texts / (after.batches - before.batches),
    idsPerText: ids / texts,
  };
}
