import { MODEL_NAME, MODEL_VERSION } from "./model-names.ts";
import { integer, item, section, text } from "./setting.ts";

const WEB_URL = {
  type: "string",
  pattern: "^https?://[^\\s@/]+(/\\S*)?$",
  patternMeaning: "an address that begins with http:// or https://, without a user's name in it",
} as const;

const SECRET = { type: "string", minLength: 1, secret: true } as const;

const KEY = { type: "string", secret: true, default: "" } as const;

/** A package in an archive. */
export const archiveItem = item(
  {
    name: { ...MODEL_NAME, description: "Name of the model, as the package has it." },
    version: {
      ...MODEL_VERSION,
      description: "Its version, as the package has it.",
    },
    url: { ...WEB_URL, description: "Where the archive is." },
    sha256: {
      type: "string",
      pattern: "^[0-9a-f]{64}$",
      patternMeaning: "64 hexadecimal digits in lower case",
      description: "SHA-256 of the archive. Needed for http:// to another machine.",
    },
    headers: {
      type: "object",
      additionalProperties: SECRET,
      description: "Sent to its server, and to no other that it redirects to.",
    },
  },
  ["sha256", "headers"],
);

/** A bucket with packages. */
export const bucketItem = item(
  {
    bucket: {
      type: "string",
      pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$",
      patternMeaning: "a bucket's name: letters, digits, dots, underscores and hyphens",
    },
    prefix: {
      type: "string",
      description: "Folder in the bucket that holds `<name>/<version>/`; all of it when left out.",
    },
    endpoint: {
      ...WEB_URL,
      description: "Address of the store; that of Amazon S3 in `region` when left out.",
    },
    region: {
      type: "string",
      pattern: "^[a-z0-9-]{1,64}$",
      patternMeaning: "a region, such as eu-central-1",
      description: "That of `models.fetching.region` when left out.",
    },
    addressing: {
      type: "string",
      enum: ["path", "virtual-host"],
      description:
        "Where the bucket's name stands: in the path, or before the host. `path` when left out and `endpoint` is given, `virtual-host` otherwise.",
    },
    accessKeyId: SECRET,
    secretAccessKey: SECRET,
    sessionToken: SECRET,
  },
  ["prefix", "endpoint", "region", "addressing", "accessKeyId", "secretAccessKey", "sessionToken"],
);

/** How packages are brought here. */
export const fetchingSettings = section(
  "How packages of `models.archives` and `models.buckets` are brought here.",
  {
    directory: text({
      default: "data/packages",
      description:
        "Folder where fetched packages are kept. With them the server starts when their source cannot be reached. Processes and replicas may share it.",
    }),
    pollMs: integer({
      default: 30_000,
      minimum: 100,
      maximum: 86_400_000,
      description: "How often to look for packages that are new there, or gone.",
    }),
    timeoutMs: integer({
      default: 30_000,
      minimum: 100,
      maximum: 3_600_000,
      description: "How long another server may be silent before a try counts as failed.",
    }),
    attempts: integer({
      default: 5,
      minimum: 1,
      maximum: 100,
      description:
        "Tries in a row that bring nothing before it is given up for now; waits between them grow from half a second. What broke off goes on where it stopped.",
    }),
    accessKeyId: {
      ...KEY,
      aliases: ["AWS_ACCESS_KEY_ID"],
      description: "Key for buckets that state none; empty for none.",
    },
    secretAccessKey: {
      ...KEY,
      aliases: ["AWS_SECRET_ACCESS_KEY"],
      description: "Belongs to `models.fetching.accessKeyId`.",
    },
    sessionToken: {
      ...KEY,
      aliases: ["AWS_SESSION_TOKEN"],
      description: "Belongs to it too, where the key ends by itself; empty for none.",
    },
    region: text({
      default: "us-east-1",
      aliases: ["AWS_REGION"],
      pattern: "^[a-z0-9-]{1,64}$",
      patternMeaning: "a region, such as eu-central-1",
      description: "Region of buckets that state none.",
    }),
    maxMb: integer({
      default: 20_480,
      minimum: 1,
      maximum: 10_000_000,
      description: "Longest package, as an archive and unpacked, in MB.",
    }),
  },
);
