import { Command } from "commander";
import { composeInference } from "../compose.ts";
import { classify } from "../core/inference/classify.ts";
import type { InferenceResult } from "../core/inference/result.ts";
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
        const result = await classify(
          {
            model: options.model ?? config.models.defaultModel,
            version: options.modelVersion,
            texts,
            options: {
              topK: options.topK,
              functionToApply: undefined,
            },
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
      const answer = item.ok ? { labels: item.labels } : { error: item.error.message };
      return `${JSON.stringify({ text: texts[i], ...answer })}\n`;
    })
    .join("");
}

function toLines(texts: readonly string[], result: InferenceResult): string {
  return result.items
    .map((item, i) => {
      if (!item.ok) return `error: ${item.error.message}  ${texts[i]}\n`;
      const labels = item.labels.map(
        ({ label, score }) => `${label} ${(score * 100).toFixed(1)} %`,
      );
      return `${labels.join(", ")}  ${texts[i]}\n`;
    })
    .join("");
}
