import { availableParallelism } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { Presets, SingleBar } from "cli-progress";
import { Command, Option } from "commander";
import { SluiceError } from "../core/errors.ts";
import { isModelName, isModelVersion } from "../core/models/manifest.ts";
import { readExamples } from "../model-tools/data/read-examples.ts";
import { formatMetrics, toPercent } from "../model-tools/evaluate/format-report.ts";
import { trainFromLabelledTexts } from "../model-tools/recipes/labelled-file.ts";
import {
  runTextClassificationRecipe,
  TEXT_CLASSIFICATION_OPTIONS,
} from "../model-tools/recipes/text-classification.ts";
import type { TrainOptions } from "../model-tools/train/train-classifier.ts";
import { DEFAULT_TRAIN_OPTIONS } from "../model-tools/train/train-classifier.ts";
import type { MemberReport } from "../model-tools/train/train-members.ts";
import { writePackage } from "../model-tools/train/write-package.ts";
import type { DataFileFlags } from "./data-file-options.ts";
import { addDataFileOptions, toReadOptions } from "./data-file-options.ts";
import { parseFraction, parseNumber, parseWhole } from "./parse-arguments.ts";

/** The command's flags as commander hands them over. */
interface TrainFlags extends DataFileFlags {
  readonly output: string;
  readonly name?: string;
  readonly version?: string;
  readonly recipe?: "text-classification";
  readonly data: string;
  readonly buckets?: number;
  readonly validation: number;
  readonly languages: string;
  readonly license: string;
  readonly epochs?: number;
  readonly seed?: number;
  readonly threads: number;
  readonly members?: number;
  readonly dimensions?: number;
  readonly learningRate?: number;
  readonly l2?: number;
  readonly classWeights?: "none" | "balanced";
}

/**
 * `sluice train`: makes a model package from a file of labelled texts, or by a recipe. The action throws SluiceError for
 * anything that the caller can mend.
 *
 * @param write receives what the command prints; default: standard output. The progress bar goes to standard error.
 */
export function createTrainCommand(
  write: (text: string) => void = (text) => process.stdout.write(text),
): Command {
  const command = new Command("train")
    .description("Train a text classifier and write it as a model package.")
    .argument("[file]", "labelled texts: .csv, .tsv or .jsonl, also .gz")
    .requiredOption("--output <folder>", "package folder, best models/NAME/VERSION")
    .option("--name <name>", "name of the model (default: from the output folder)")
    .option("--version <version>", "version, major.minor.patch (default: from the output folder)")
    .addOption(
      new Option("--recipe <recipe>", "train a model that ships with Sluice again").choices([
        "text-classification",
      ]),
    )
    .option("--data <folder>", "folder of the recipe's data sets", "../shared/data");
  addDataFileOptions(command);
  addSettingOptions(command);
  return command.action(async (file: string | undefined, flags: TrainFlags) => {
    if ((file === undefined) === (flags.recipe === undefined)) {
      throw new SluiceError("invalid_argument", "Name a file to train on or a --recipe, not both.");
    }
    if (flags.recipe !== undefined && flags.buckets !== undefined) {
      throw new SluiceError(
        "invalid_argument",
        "A --recipe brings its own --buckets; leave it out.",
      );
    }
    const identity = toIdentity(flags);
    const summary =
      file === undefined
        ? await trainByRecipe(flags, identity)
        : await trainOnFile(file, flags, identity);
    write(`${summary}\nWrote ${flags.output}\n`);
  });
}

function addSettingOptions(command: Command): void {
  const { epochs, seed, members, learningRate, l2 } = DEFAULT_TRAIN_OPTIONS;
  command
    .option("--validation <share>", "share of the texts held out", parseFraction, 0.1)
    .option("--languages <tags>", "of the texts, comma-separated BCP 47 tags", "und")
    .option("--license <spdx>", "licence of the weights", "NOASSERTION")
    .option("--epochs <count>", `passes at most (default: ${epochs})`, parseWhole)
    .option("--seed <number>", `start of all randomness (default: ${seed})`, parseWhole)
    .option("--members <count>", `models whose mean is taken (default: ${members})`, parseWhole)
    .option(
      "--threads <count>",
      "trained at a time; does not change the result",
      parseWhole,
      availableParallelism(),
    )
    .option("--dimensions <count>", "of the embeddings (default: by labels)", parseWhole)
    .option("--buckets <count>", "rows of the table, a power of two", parseWhole)
    .option("--learning-rate <rate>", `step size (default: ${learningRate})`, parseNumber)
    .option("--l2 <strength>", `regularization (default: ${l2})`, parseNumber)
    .addOption(
      new Option(
        "--class-weights <how>",
        "balanced: rare labels count as much as frequent",
      ).choices(["none", "balanced"]),
    );
}

interface Identity {
  readonly name: string;
  readonly version: string;
}

/** `models/sentiment/1.2.0` is version 1.2.0 of sentiment, unless the flags say otherwise. */
function toIdentity(flags: TrainFlags): Identity {
  const folder = resolve(flags.output);
  const name = flags.name ?? basename(dirname(folder));
  const version = flags.version ?? basename(folder);
  // The manifest is checked too, but only once the training is over.
  if (!isModelName(name) || !isModelVersion(version)) {
    throw new SluiceError(
      "invalid_argument",
      `Cannot call a model ${JSON.stringify(name)}, version ${JSON.stringify(version)}. Use an --output like ` +
        "models/my-model/1.0.0, or say --name and --version.",
    );
  }
  return { name, version };
}

/** Only what was said, so that defaults decide the rest. */
function toOverrides(flags: TrainFlags): Partial<TrainOptions> {
  const { epochs, seed, threads, members, dimensions, learningRate, l2, classWeights } = flags;
  const said = { epochs, seed, threads, members, dimensions, learningRate, l2, classWeights };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

async function trainOnFile(file: string, flags: TrainFlags, identity: Identity): Promise<string> {
  const { examples, badRows } = await readExamples(file, toReadOptions(flags));
  const overrides = toOverrides(flags);
  const { epochs, members } = { ...DEFAULT_TRAIN_OPTIONS, ...overrides };
  const result = await withProgress(epochs * members, (onEpoch) =>
    trainFromLabelledTexts(
      examples,
      {
        ...identity,
        dataPath: file,
        languages: flags.languages.split(",").map((tag) => tag.trim()),
        license: flags.license,
        validationShare: flags.validation,
        overrides,
        ...(flags.buckets === undefined ? {} : { buckets: flags.buckets }),
      },
      onEpoch,
    ),
  );
  await writePackage(flags.output, result.package);
  const skipped = badRows.length === 0 ? "" : `Left out ${badRows.length} bad rows.\n`;
  return result.heldOut === undefined
    ? `${skipped}Nothing was held out, so nothing was measured.`
    : `${skipped}${formatMetrics(result.heldOut.metrics, result.package.labels)}`;
}

async function trainByRecipe(flags: TrainFlags, identity: Identity): Promise<string> {
  const overrides = toOverrides(flags);
  const { epochs, members } = { ...TEXT_CLASSIFICATION_OPTIONS, ...overrides };
  const result = await withProgress(epochs * members, (onEpoch) =>
    runTextClassificationRecipe({ ...identity, dataFolder: flags.data, overrides }, onEpoch),
  );
  await writePackage(flags.output, result.package);
  return result.results
    .map(({ name, metrics }) => {
      const { accuracy, balancedAccuracy, calibrationError, count } = metrics;
      return `${name}: accuracy ${toPercent(accuracy)}, balanced ${toPercent(balancedAccuracy)}, calibration error ${calibrationError.toFixed(3)} (${count} texts)`;
    })
    .join("\n");
}

/** Shows a bar on a terminal and nothing elsewhere. Members that stop early jump to their end. */
async function withProgress<Result>(
  totalEpochs: number,
  work: (onEpoch: (report: MemberReport) => void) => Promise<Result>,
): Promise<Result> {
  const bar = new SingleBar(
    { format: "training {bar} {percentage} % | loss {loss}", clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(totalEpochs, 0, { loss: "-" });
  try {
    return await work(({ validationLoss }) =>
      bar.increment(1, { loss: validationLoss.toFixed(4) }),
    );
  } finally {
    bar.stop();
  }
}
