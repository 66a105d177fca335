import { cpus } from "node:os";
import { Command, Option } from "commander";
import { SluiceError } from "../core/errors.ts";
import type { CalibrationMethod } from "../model-tools/quantize/activation-range.ts";
import {
  CALIBRATION_METHODS,
  DEFAULT_PERCENTILE,
} from "../model-tools/quantize/activation-range.ts";
import { createTextEncoder } from "../model-tools/quantize/create-text-encoder.ts";
import { readRuntimeVersion } from "../model-tools/quantize/model-session.ts";
import type { FloatModel } from "../model-tools/quantize/open-float-model.ts";
import { openFloatModel } from "../model-tools/quantize/open-float-model.ts";
import { renderQuantizationReport } from "../model-tools/quantize/quantization-report.ts";
import type { QuantizeModelOptions } from "../model-tools/quantize/quantize-model.ts";
import { quantizeModel } from "../model-tools/quantize/quantize-model.ts";
import type { QuantizedForm } from "../model-tools/quantize/quantized-layer.ts";
import { readQuantizationData } from "../model-tools/quantize/read-quantization-data.ts";
import type { Choice } from "../model-tools/quantize/try-recipes.ts";
import {
  assertOutputFree,
  toDefaultOutput,
  writeQuantizedPackage,
} from "../model-tools/quantize/write-quantized-package.ts";
import type { DataFileFlags } from "./data-file-options.ts";
import { addDataFileOptions, toReadOptions } from "./data-file-options.ts";
import { parseCount, parseNumber } from "./parse-arguments.ts";

/** The command's flags as commander hands them over. */
interface QuantizeFlags extends DataFileFlags {
  readonly data: string;
  readonly gateData: readonly string[];
  readonly unlabelled?: boolean;
  readonly output?: string;
  readonly tokenizer?: string;
  readonly calibration: CalibrationMethod | "auto";
  readonly percentile: number;
  readonly calibrationTexts: number;
  readonly form: QuantizedForm;
  readonly dynamic?: boolean;
  readonly smoothing: Choice;
  readonly biasCorrection: Choice;
  readonly embeddings: boolean;
  readonly reduceRange?: boolean;
  readonly maxLoss: number;
  readonly maxTokens?: number;
  readonly threads: number;
  readonly repetitions: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What the command gets from outside. */
export interface QuantizeCommandOptions {
  /** Receives what the command prints. Default: standard output. */
  readonly write?: (text: string) => void;
  /** Receives a line per step. Default: standard error. */
  readonly writeProgress?: (text: string) => void;
}

/**
 * `sluice quantize`: makes an int8 version of a float model and publishes it if it is as good. The action throws
 * SluiceError for anything that the caller can mend, a version that loses too much among it.
 */
export function createQuantizeCommand(options: QuantizeCommandOptions = {}): Command {
  const {
    write = (text: string) => process.stdout.write(text),
    writeProgress = (text: string) => process.stderr.write(text),
  } = options;
  const command = new Command("quantize")
    .description(
      "Make an int8 version of an ONNX model, measure it, and publish it if it is as good.",
    )
    .argument("<model>", "folder with config.json, tokenizer.json and model.onnx; or an ONNX file")
    .requiredOption("--data <file>", "texts to calibrate with, best a few hundred")
    .option(
      "--gate-data <files...>",
      "labelled texts to measure on (default: half of the data is held out)",
      [],
    )
    .option("--unlabelled", "the texts have no labels: compare with the float model only")
    .option("--output <folder>", "new package (default: beside the model, with -int8)")
    .option("--force", "replace the output folder")
    .option("--tokenizer <file>", "tokenizer.json (default: beside the model)")
    .option("--max-loss <points>", "points that may be lost", parseNumber, 0.5)
    .option("--json", "print the report as JSON");
  addDataFileOptions(command);
  addRecipeOptions(command);
  return command.action(async (modelPath: string, flags: QuantizeFlags) => {
    const source = await openFloatModel(modelPath, flags.tokenizer);
    const output = flags.output ?? toDefaultOutput(modelPath, source);
    await assertOutputFree(output, flags.force === true);
    const maxTokens = Math.min(source.maxTokens, flags.maxTokens ?? source.maxTokens);
    const texts = await readQuantizationData({
      dataPath: flags.data,
      gatePaths: flags.gateData,
      read: toReadOptions(flags),
      hasLabels: flags.unlabelled !== true,
      labels: source.labels,
      calibrationTexts: flags.calibrationTexts,
      encode: await createTextEncoder(source.tokenizer, maxTokens),
    });
    const quantized = await quantizeModel(source.bytes, texts, {
      ...toQuantizeOptions(flags, source, maxTokens),
      host: {
        processor: cpus()[0]?.model.trim() ?? "unknown",
        onnxRuntime: await readRuntimeVersion(),
        threads: flags.threads,
      },
      now: () => performance.now(),
      onProgress: (step) => writeProgress(`${step}\n`),
    });
    const { report } = quantized;
    write(
      flags.json === true
        ? `${JSON.stringify(report, null, 2)}\n`
        : `${renderQuantizationReport(report)}\n`,
    );
    await writeQuantizedPackage(output, source, quantized, flags.force === true);
    if (flags.json !== true) write(`Wrote ${output}\n`);
  });
}

function addRecipeOptions(command: Command): void {
  command
    .addOption(
      new Option("--calibration <method>", "how activation ranges are chosen; auto tries all")
        .choices(["auto", ...CALIBRATION_METHODS])
        .default("auto"),
    )
    .option("--percentile <percent>", "for percentile", parsePercentile, DEFAULT_PERCENTILE)
    .option("--calibration-texts <count>", "texts to calibrate with at most", parseCount, 512)
    .addOption(
      new Option("--form <form>", "fused: fastest; portable: standard operators only")
        .choices(["fused", "portable"])
        .default("fused"),
    )
    .option("--dynamic", "activation ranges from every batch: answers depend on the batch")
    .addOption(createChoice("--smoothing <when>", "divide channels that stand out"))
    .addOption(createChoice("--bias-correction <when>", "take mean errors off the biases"))
    .option("--no-embeddings", "leave the tables of embeddings in float32")
    .option("--reduce-range", "weights of 7 bits, for x86 with AVX2 but without VNNI")
    .option("--max-tokens <count>", "cut texts there (default: what the model reads)", parseCount)
    .option("--threads <count>", "of a run", parseCount, 1)
    .option("--repetitions <count>", "runs per timing, 0 for none", parseCount, 21);
}

function createChoice(flags: string, description: string): Option {
  return new Option(flags, description).choices(["auto", "on", "off"]).default("auto");
}

function parsePercentile(text: string): number {
  const value = parseNumber(text);
  if (value > 50 && value <= 100) return value;
  throw new SluiceError("invalid_argument", "--percentile must be above 50 and at most 100.");
}

function toQuantizeOptions(
  flags: QuantizeFlags,
  source: FloatModel,
  maxTokens: number,
): Omit<QuantizeModelOptions, "host" | "now" | "onProgress"> {
  const methods = flags.calibration === "auto" ? CALIBRATION_METHODS : [flags.calibration];
  return {
    methods: flags.dynamic === true ? ["dynamic"] : methods,
    smoothing: flags.smoothing,
    biasCorrection: flags.biasCorrection,
    form: flags.form,
    percentile: flags.percentile,
    reducesRange: flags.reduceRange === true,
    quantizesEmbeddings: flags.embeddings,
    maxLossPoints: flags.maxLoss,
    isMultiLabel: source.isMultiLabel,
    maxTokens,
    session: { padId: source.padId, threads: flags.threads },
    speedRepetitions: flags.repetitions,
  };
}
