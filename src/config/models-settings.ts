import { MODEL_NAME, MODEL_VERSION } from "./model-names.ts";
import { archiveItem, bucketItem, fetchingSettings } from "./model-source-settings.ts";
import { remoteModel } from "./remote-settings.ts";
import { boolean, choice, integer, list, map, number, section, text } from "./setting.ts";

/** Which models are served. */
export const modelSettings = section("Which models are served.", {
  directory: text({
    default: "models",
    aliases: ["MODEL_PATH"],
    description:
      "Folder of model packages, laid out as `<name>/<version>/`. A relative path starts at the working directory.",
  }),
  defaultModel: text({
    default: "text-classification",
    pattern: MODEL_NAME.pattern,
    patternMeaning: MODEL_NAME.patternMeaning,
    description: "Model that answers requests which name none.",
  }),
  defaultVersions: map(
    MODEL_NAME,
    {
      ...MODEL_VERSION,
    },
    {
      description:
        "Version that answers requests which name none, per model. A model that is not listed answers with its highest version.",
    },
  ),
  archives: list(archiveItem, {
    maxItems: 1000,
    description:
      "Packages that are fetched from addresses, each in an archive: .tar, .tar.gz or .zip. The folder `models.directory` goes before them where both have a version.",
  }),
  buckets: list(bucketItem, {
    maxItems: 100,
    description:
      "Buckets of Amazon S3, or of a store that speaks as it does, laid out as `<prefix>/<name>/<version>/`. Without keys of its own, those of `models.fetching` are used; without these, requests are not signed.",
  }),
  fetching: fetchingSettings,
  watchMs: integer({
    default: 2000,
    minimum: 0,
    maximum: 3_600_000,
    description:
      "How often to look for packages that are new in the folder, or gone; 0 looks at the start only. What is new is loaded beside what serves, once its files have stopped changing.",
  }),
  newVersions: choice(["switch", "hold", "release"], {
    default: "switch",
    description:
      "What a version does that comes while the server runs. `switch`: the highest one with the same task and labels answers. `hold`: the one that answers goes on, until a pin or a release moves requests. `release`: a release of it begins by itself.",
  }),
  memoryReserveMb: integer({
    default: 64,
    minimum: 0,
    maximum: 1_000_000,
    description:
      "Memory that must stay free when a model is loaded; a version for which there is no room fails, and the others serve on. 0 loads without looking.",
  }),
  operators: list(
    { type: "string", minLength: 1 },
    {
      maxItems: 1000,
      description:
        "Ids of the API keys that may load, unload, pin and label versions by `/models`, where `models.control` is `explicit`. With none, the default, every caller may.",
    },
  ),
  routeByLanguage: boolean({
    default: true,
    description:
      "Give a text, when its caller names no version, to the newest version that was made for its language, if the default version was not. Chinese, Japanese and Korean are told by their scripts.",
  }),
  remote: list(remoteModel, {
    maxItems: 1000,
    description:
      "Models on servers that run elsewhere, such as TensorFlow Serving, Triton, KServe or MLServer, each with `name`, `protocol` and `servers`. They are served as local ones are: with the same limits, batches, cache and protocols.",
  }),
  loadOnDemand: {
    ...list(MODEL_NAME, {
      maxItems: 1000,
      description:
        "Models that are loaded when somebody first asks for them, which that caller waits for. All others are loaded at the start. Engines load all at the start.",
    }),
    default: ["text-embedding"],
  },
  control: choice(["none", "explicit"], {
    default: "none",
    description:
      "Whether callers may load, unload, pin and label versions, as `PUT /models/<name>/pin` and `POST /v2/repository/models/<name>/load` do.",
  }),
  failOnInvalid: boolean({
    default: false,
    description:
      "Refuse to start when a package is invalid. Otherwise it is reported and the others are served.",
  }),
});

/** Where and with what models run. */
export const inferenceSettings = section("Where and with what models run.", {
  execution: choice(["auto", "inline", "workers"], {
    default: "auto",
    description:
      "Run models on the server's own thread (`inline`) or in worker threads. `auto` measures each model at start and runs it inline when that is faster. Models of tensors always run in worker threads.",
  }),
  runtime: choice(["auto", "typescript", "onnxruntime"], {
    default: "auto",
    description:
      "Program that computes the model. `auto` takes the built-in one for graphs that it knows and ONNX Runtime for all others. Models of tensors always run in ONNX Runtime.",
  }),
  workers: integer({
    default: 0,
    minimum: 0,
    maximum: 1024,
    description:
      "Worker threads that run models; 0 measures at start what is fastest, usually one per processor core.",
  }),
  threadsPerWorker: integer({
    default: 0,
    minimum: 0,
    maximum: 256,
    description:
      "Threads that one run of ONNX Runtime may use; 0 measures at start what is fastest, usually 1. More than one shortens single large runs and mostly costs throughput.",
  }),
  niceness: integer({
    default: 10,
    minimum: 0,
    maximum: 19,
    description:
      "How far worker threads step back for the server's own thread when all cores are busy, as the `nice` value of the system. Linux only.",
  }),
  hangTimeoutMs: integer({
    default: 30_000,
    minimum: 0,
    maximum: 3_600_000,
    description:
      "Time after which a run counts as hung: its texts are run on another worker and the thread is replaced. Runs that are predicted to take long get more. 0 never gives up.",
  }),
  inlineMaxRunMs: number({
    default: 0.2,
    minimum: 0,
    maximum: 1000,
    description:
      "Longest time that one run may take for `execution: auto` to choose `inline`: while it runs, the server answers nobody else.",
  }),
});

/** How waiting requests are put together into batches. */
export const batchingSettings = section("How waiting requests are put together into batches.", {
  maxBatchItems: integer({
    default: 128,
    minimum: 1,
    maximum: 65_536,
    description: "Most texts in one batch.",
  }),
  maxBatchTokens: integer({
    default: 16_384,
    minimum: 1,
    maximum: 16_777_216,
    description:
      "Most tokens in one batch, filling included. It bounds the memory of a run; the size that is fastest is derived from measurements when a model is loaded, and is mostly far smaller.",
  }),
  maxQueueDelayMs: integer({
    default: 0,
    minimum: 0,
    maximum: 1000,
    description:
      "Time for which a free worker waits for more work. 0 never waits: batches form from what arrives while the worker is busy. 100 is the classic value of model servers.",
  }),
  minBatchItems: integer({
    default: 8,
    minimum: 1,
    maximum: 65_536,
    description:
      "Texts that end the wait of `batching.maxQueueDelayMs` early; without a wait it means nothing. At most `batching.maxBatchItems`.",
  }),
  maxQueueItems: integer({
    default: 2048,
    minimum: 1,
    maximum: 1_000_000,
    description:
      "Most texts waiting, or requests to a model of tensors; further ones are refused with 429.",
  }),
  maxBulkItems: integer({
    default: 65_536,
    minimum: 1,
    maximum: 10_000_000,
    description: "Most texts of the bulk lane waiting; further ones are refused with 429.",
  }),
  bulkShare: number({
    default: 0.05,
    minimum: 0,
    maximum: 0.9,
    description:
      "Part of the work that the bulk lane gets while online requests wait. Otherwise it gets what they leave.",
  }),
  maxBatchRunMs: integer({
    default: 25,
    minimum: 1,
    maximum: 60_000,
    description:
      "Work per batch, as time that all workers together need for it at the measured speed. Keeps batches of slow models short, so that what waits behind them does not wait long.",
  }),
  maxQueueWaitMs: integer({
    default: 150,
    minimum: 1,
    maximum: 600_000,
    description:
      "Predicted wait above which new work is refused with 429 instead of being answered late.",
  }),
});
