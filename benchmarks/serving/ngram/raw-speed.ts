import { composeInference } from "../../../src/compose/server.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { parseFlags } from "../../../src/config/read-flags.ts";
import type { ServingVersion } from "../../../src/core/models/serving-version.ts";
import { normalizeText } from "../../../src/core/text/normalize.ts";

/** What one text costs without a server. */
export interface RawSpeed {
  readonly corpus: string;
  /** Texts handed to the backend in one call. */
  readonly batchTexts: number;
  readonly textsPerSecond: number;
  readonly microsecondsPerText: number;
  /** Thereof normalizing and tokenizing. */
  readonly tokenizeMicroseconds: number;
}

/** The model that was measured, in words for the report. */
export interface RawModel {
  readonly name: string;
  readonly version: string;
  readonly labels: number;
  readonly backend: string;
  /** Batches that the backend runs at the same time; 1 means that everything below is one core. */
  readonly slots: number;
}

export interface RawSpeeds {
  readonly model: RawModel;
  readonly speeds: readonly RawSpeed[];
}

export interface RawSpeedOptions {
  readonly modelsDirectory: string;
  readonly corpora: readonly { readonly name: string; readonly texts: readonly string[] }[];
  readonly batchSizes: readonly number[];
  /** Time for each pair of corpus and batch size. */
  readonly durationMs: number;
}

/** Normalizes, tokenizes and runs texts in a loop, in this process, as composed for the server but without one. */
export async function measureRawSpeeds(options: RawSpeedOptions): Promise<RawSpeeds> {
  const flags = parseFlags(["--models.directory", options.modelsDirectory]);
  const { config } = loadConfig({ env: {}, flags, directory: options.modelsDirectory });
  const inference = await composeInference(config);
  try {
    const serving = inference.pipeline.registry.resolve(config.models.defaultModel, undefined);
    const speeds: RawSpeed[] = [];
    for (const { name, texts } of options.corpora) {
      await runLoop(serving, texts, 32, options.durationMs / 4);
      for (const batchTexts of options.batchSizes) {
        const speed = await runLoop(serving, texts, batchTexts, options.durationMs);
        speeds.push({ corpus: name, batchTexts, ...speed });
      }
    }
    return { model: describe(serving), speeds };
  } finally {
    await inference.close();
  }
}

function describe({ manifest, backend }: ServingVersion): RawModel {
  return {
    name: manifest.name,
    version: manifest.version,
    labels: manifest.labels.length,
    backend: backend.description,
    slots: backend.slots,
  };
}

async function runLoop(
  serving: ServingVersion,
  texts: readonly string[],
  batchTexts: number,
  durationMs: number,
): Promise<Omit<RawSpeed, "corpus" | "batchTexts">> {
  const { tokenizer, backend } = serving;
  const startedMs = performance.now();
  const endMs = startedMs + durationMs;
  let done = 0;
  let position = 0;
  let tokenizeMs = 0;

  const encodeNext = () => {
    const beganMs = performance.now();
    const batch = Array.from({ length: batchTexts }, () => {
      const text = texts[position++ % texts.length] ?? "";
      return tokenizer.encode(normalizeText(text)).windows;
    }).flat();
    tokenizeMs += performance.now() - beganMs;
    return batch;
  };
  const fillSlot = async () => {
    while (performance.now() < endMs) {
      await backend.run(encodeNext());
      done += batchTexts;
    }
  };
  await Promise.all(Array.from({ length: backend.slots }, fillSlot));

  const elapsedMs = performance.now() - startedMs;
  return {
    textsPerSecond: (done / elapsedMs) * 1000,
    microsecondsPerText: (elapsedMs / done) * 1000,
    tokenizeMicroseconds: (tokenizeMs / done) * 1000,
  };
}
