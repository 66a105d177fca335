import { Command } from "commander";
import { composeInference } from "../compose/server.ts";
import { answerTexts } from "../core/graphs/answer-texts.ts";
import { MODEL_DEFAULTS } from "../core/inference/request.ts";
import type { InferenceResult, ItemResult } from "../core/inference/result.ts";
import { NEVER_CANCELLED } from "../core/ports/cancellation.ts";
import { loadSettings } from "./load-settings.ts";
import { parseCount } from "./parse-arguments.ts";

interface ClassifyOptions {
  readonly model?: string;
  readonly modelVersion?: string;
  readonly topK?: number;
  readonly json?: boolean;
}

/** `sluice classify "text" …`: one answer per text, without a server. */
export function createClassifyCommand(): Command {
  return new Command("classify")
    .description("Classify texts here and now, without a server.")
    .argument("<text...>", "one or more texts")
    .option("--model <name>", "model to ask (default: models.defaultModel)")
    .option("--model-version <version>", "version to ask (default: the model's default)")
    .option("--top-k <count>", "labels per text, 0 for all", parseCount)
    .option("--json", "print JSON, one line per text")
    .action(async (texts: string[], options: ClassifyOptions) => {
      const { config } = loadSettings([]);
      const inference = await composeInference(config);
      try {
        const result = await answerTexts(
          {
            model: options.model ?? config.models.defaultModel,
            version: options.modelVersion,
            inputs: texts.map((text) => ({ text, pair: undefined })),
            options: { ...MODEL_DEFAULTS, topK: options.topK },
            flow: { id: "command line", weight: 1 },
            lane: "online",
            deadlineMs: inference.pipeline.clock.nowMs() + config.limits.maxDeadlineMs,
            cancellation: NEVER_CANCELLED,
          },
          inference.pipeline,
        );
        process.stdout.write(
          options.json === true ? toJson(texts, result) : toLines(texts, result),
        );
      } finally {
        await inference.close();
      }
    });
}

function toJson(texts: readonly string[], result: InferenceResult): string {
  return result.items
    .map((item, i) => {
      const answer = item.ok ? describe(item) : { error: item.error.message };
      return `${JSON.stringify({ text: texts[i], ...answer })}\n`;
    })
    .join("");
}

function toLines(texts: readonly string[], result: InferenceResult): string {
  return result.items
    .map((item, i) => {
      if (!item.ok) return `error: ${item.error.message}  ${texts[i]}\n`;
      return `${toWords(item)}  ${texts[i]}\n`;
    })
    .join("");
}

function describe({ prediction, version, windows, truncated }: ItemResult & { ok: true }) {
  const answer =
    prediction.kind === "vector"
      ? { vector: Array.from(prediction.values) }
      : { labels: prediction.labels, ...(prediction.abstained && { abstained: true }) };
  return { ...answer, version, ...(windows > 1 && { windows }), ...(truncated && { truncated }) };
}

function toWords({ prediction, windows, truncated }: ItemResult & { ok: true }): string {
  const reading = `${windows > 1 ? ` (read in ${windows} windows)` : ""}${truncated ? " (cut)" : ""}`;
  if (prediction.kind === "vector") {
    const start = Array.from(prediction.values.slice(0, 4), (value) => value.toFixed(3));
    return `[${start.join(", ")}, …] ${prediction.values.length} values${reading}`;
  }
  if (prediction.labels.length === 0) return `no label${reading}`;
  const labels = prediction.labels.map(({ label, score }) => {
    const isShare = score >= 0 && score <= 1;
    return `${label} ${isShare ? `${(score * 100).toFixed(1)} %` : score.toFixed(3)}`;
  });
  return labels.join(", ") + reading;
}
