import { boolean, choice, integer, item, list, map, section } from "./setting.ts";

const LISTEN = ["auto", "on", "off"] as const;

const LISTEN_RULE =
  "`auto` opens it where it is free, and otherwise says so and goes without; `on` refuses to start then.";

/** The port for gRPC. */
export const grpcSettings = section(
  "The port for gRPC: Open Inference Protocol and TensorFlow Serving. It listens on `server.host`.",
  {
    listen: choice(LISTEN, {
      default: "auto",
      description: `Whether the port is opened. ${LISTEN_RULE}`,
    }),
    port: integer({
      default: 8500,
      minimum: 0,
      maximum: 65_535,
      description: "TCP port for gRPC; 0 takes any free port, which is printed at start.",
    }),
  },
);

const MODEL_NAME = {
  type: "string",
  pattern: "^[A-Za-z0-9_-][A-Za-z0-9._-]*$",
  patternMeaning: "a model name: letters, digits, dots, underscores and hyphens, no dot first",
  description: "Model whose version has the label.",
} as const;

const versionLabel = item(
  {
    model: MODEL_NAME,
    label: {
      type: "string",
      pattern: "^[^/:]+$",
      patternMeaning: "a name without slashes and colons",
      description: "Label, e.g. `stable`.",
    },
    version: {
      type: "string",
      pattern: "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$",
      patternMeaning: "a version as major.minor.patch",
      description: "Version that the label stands for.",
    },
  },
  [],
);

/** What clients of TensorFlow Serving and KServe find under `/v1`. */
export const tensorflowServingSettings = section(
  "What clients of TensorFlow Serving and of KServe's first protocol find under `/v1`.",
  {
    listen: choice(LISTEN, {
      default: "auto",
      description: `Whether a second HTTP port is opened where TensorFlow Serving has its own. All protocols answer on either port. ${LISTEN_RULE}`,
    }),
    port: integer({
      default: 8501,
      minimum: 0,
      maximum: 65_535,
      aliases: ["TF_SERVING_PORT"],
      description: "TCP port of that second HTTP port; 0 takes any free port.",
    }),
    strict: boolean({
      default: false,
      description:
        "Answer under `/v1/models` exactly as TensorFlow Serving does, without the members that KServe and OpenAI clients look for.",
    }),
    strictJson: boolean({
      default: false,
      description:
        "Write NaN and infinities in answers as null. TensorFlow Serving writes them as bare words, which Python reads and JavaScript does not.",
    }),
    kserveModels: list(MODEL_NAME, {
      maxItems: 1000,
      description:
        "Models whose `/v1/models/<name>:predict` follows KServe's first protocol: `inputs` are rows, and the answer is `predictions`.",
    }),
    versionLabels: list(versionLabel, {
      maxItems: 1000,
      description:
        "Names for versions, each with `model`, `label` and `version`. A label that spells a version, such as `2.0.0`, needs no entry.",
    }),
  },
);

/** Names of labels that are nothing to worry about. */
const HARMLESS = [
  "positive",
  "neutral",
  "safe",
  "ok",
  "none",
  "normal",
  "benign",
  "clean",
  "non-toxic",
  "nontoxic",
  "not-toxic",
  "not-hate",
  "non-offensive",
  "not-offensive",
  "not-spam",
  "ham",
] as const;

/** What clients of OpenAI find under `/v1`. */
export const openaiSettings = section("What clients of OpenAI find under `/v1`.", {
  harmlessLabels: {
    ...list(
      { type: "string", minLength: 1 },
      {
        maxItems: 1000,
        description:
          "Labels that never flag an input of `/v1/moderations`, whatever their case and with blanks, underscores or hyphens; all others do from their threshold on.",
      },
    ),
    default: HARMLESS,
  },
  flagThresholds: map(
    { type: "string", minLength: 1 },
    { type: "number", minimum: 0, maximum: 1 },
    {
      description:
        "Score from which a label flags an input, by label. Without an entry it is the model's own threshold, or 0.5.",
    },
  ),
});
