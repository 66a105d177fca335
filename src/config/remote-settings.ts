import { MODEL_NAME, MODEL_VERSION } from "./model-names.ts";
import { choice, integer, item, list, number, section } from "./setting.ts";

/** What this process does of the whole. */
export const role = choice(["all", "gateway", "engine", "worker"], {
  default: "all",
  description:
    "What this process does. `all` is everything in one. An `engine` runs models for the others, without allowances and without a cache; a `gateway` takes the callers and asks engines; a `worker` asks them for the rows of jobs. All read the same configuration.",
});

const SERVER_URL = {
  type: "string",
  pattern: "^(https?|grpcs?)://\\S+$",
  patternMeaning: "an address that begins with http://, https://, grpc:// or grpcs://",
} as const;

const ENGINE_URL = {
  type: "string",
  pattern: "^https?://\\S+$",
  patternMeaning: "an address that begins with http:// or https://",
} as const;

const secret = { type: "string", secret: true } as const;

/** Where engines listen, and where gateways find them. */
export const engineSettings = section(
  "Where processes of role `engine` listen, and where those of role `gateway` find them.",
  {
    host: {
      type: "string",
      minLength: 1,
      default: "127.0.0.1",
      description: "Address on which an engine listens, in place of `server.host`.",
    },
    port: integer({
      default: 8100,
      minimum: 0,
      maximum: 65_535,
      description: "Port on which an engine listens, in place of `server.port`.",
    }),
    urls: list(ENGINE_URL, {
      maxItems: 1000,
      description:
        "Engines that a gateway asks. Every model that one of them has ready is served; a model that several have is shared among them. Empty stands for one engine on `engine.port` of this machine.",
    }),
    key: {
      ...secret,
      default: "",
      description: "API key that a gateway sends to engines; empty for engines without keys.",
    },
    refreshMs: integer({
      default: 2000,
      minimum: 100,
      maximum: 3_600_000,
      description: "How often a gateway looks which models its engines have.",
    }),
  },
);

/** Where workers answer about their health. */
export const workerSettings = section(
  "Where processes of role `worker` answer about their health and metrics; they take no callers.",
  {
    host: {
      type: "string",
      minLength: 1,
      default: "127.0.0.1",
      description: "Address on which a worker listens, in place of `server.host`.",
    },
    port: integer({
      default: 8200,
      minimum: 0,
      maximum: 65_535,
      description: "Port on which a worker listens, in place of `server.port`.",
    }),
  },
);

/** How servers that run elsewhere are asked. */
export const remoteSettings = section(
  "How servers that run elsewhere are asked: engines, and those of `models.remote`.",
  {
    timeoutMs: integer({
      default: 30_000,
      minimum: 1,
      maximum: 3_600_000,
      description: "Time that one attempt may take. The request's own deadline may allow less.",
    }),
    connectTimeoutMs: integer({
      default: 2000,
      minimum: 1,
      maximum: 3_600_000,
      description: "Time to open a connection.",
    }),
    maxInFlight: integer({
      default: 32,
      minimum: 1,
      maximum: 10_000,
      description: "Runs in flight on each server at most.",
    }),
    retryShare: number({
      default: 0.2,
      minimum: 0,
      maximum: 1,
      description:
        "Retries allowed, as a share of recent requests, so that a failing server is not asked twice as much. Only what another server may answer is tried again.",
    }),
    ejectAfterFailures: integer({
      default: 3,
      minimum: 1,
      maximum: 1000,
      description: "Failures in a row after which a server gets no more requests for a while.",
    }),
    coolDownMs: integer({
      default: 500,
      minimum: 1,
      maximum: 3_600_000,
      description:
        "Time that a server is left alone the first time; doubled each time it fails its trial, up to twenty times this.",
    }),
  },
);

/** A model on servers that run elsewhere. */
export const remoteModel = item(
  {
    name: {
      ...MODEL_NAME,
      description: "Name under which it is served here.",
    },
    version: {
      ...MODEL_VERSION,
      description: "Version under which it is served here; 1.0.0 when left out.",
    },
    protocol: {
      type: "string",
      enum: ["open-inference", "tensorflow-serving"],
      description: "What its servers speak.",
    },
    servers: {
      type: "array",
      items: SERVER_URL,
      maxItems: 1000,
      description:
        "Servers that have it, all of them equal; REST or gRPC by what the address begins with.",
    },
    key: { ...secret, description: "Sent as `Authorization: Bearer`." },
    remoteName: { type: "string", minLength: 1, description: "Its name there, if another." },
    remoteVersion: {
      type: "string",
      minLength: 1,
      description: "Its version there; left out, the servers choose.",
    },
    task: {
      type: "string",
      enum: ["classification", "embedding", "scoring", "tensor"],
      description:
        "What it does: `tensor` passes tensors through as they are; tensor when left out.",
    },
    labels: {
      type: "array",
      items: { type: "string", minLength: 1 },
      maxItems: 10_000,
      description: "Classification: the labels, in the order of the output.",
    },
    problemType: {
      type: "string",
      enum: ["single_label_classification", "multi_label_classification", "regression"],
      description: "Classification: how scores relate to labels; single label when left out.",
    },
    input: {
      type: "string",
      minLength: 1,
      description: "Models of texts: the input that takes them; left out, the only one of bytes.",
    },
    output: {
      type: "string",
      minLength: 1,
      description: "Models of texts: the output that counts; left out, the only one that can.",
    },
    outputHolds: {
      type: "string",
      enum: ["logits", "probabilities", "vector", "score"],
      description: "What that output holds; left out, it follows from the task.",
    },
  },
  [
    "version",
    "key",
    "remoteName",
    "remoteVersion",
    "task",
    "labels",
    "problemType",
    "input",
    "output",
    "outputHolds",
  ],
);
