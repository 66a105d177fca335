import { boolean, choice, integer, list, section } from "./setting.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const sourceSettings = section("Addresses that callers may have the rows of a job fetched from.", {
  allowedHosts: list(
    {
      type: "string",
      pattern: "^((\\*\\.)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])$",
      patternMeaning: "the name of a host such as files.example.org, or *.example.org",
    },
    {
      maxItems: 1000,
      description:
        "Hosts from which callers may have rows fetched, at any port: `files.example.org` is that one, `*.example.org` all whose names end so. With none, the default, rows come with the request only.",
    },
  ),
  allowHttp: boolean({
    default: false,
    description: "Whether also by http://, which anybody on the way can read and change.",
  }),
  allowPrivateAddresses: boolean({
    default: false,
    description:
      "Whether those hosts may be at addresses that are not on the public Internet, such as those of this network. The name decides otherwise alone, and whoever runs its DNS could point it at what only this server can reach.",
  }),
  timeoutMs: integer({
    default: 30_000,
    minimum: 100,
    maximum: HOUR_MS,
    description:
      "How long a host may be silent, before it answers and while it sends. All of it has to come in `jobs.receiveTimeoutMs`.",
  }),
});

/** Texts that are answered without anybody waiting. */
export const jobSettings = section("Jobs: many texts that are answered without anybody waiting.", {
  enabled: choice(["auto", "on", "off"], {
    default: "auto",
    description:
      "Whether this server takes jobs and works on them. With `auto` it does as soon as the first one comes, and a store that cannot be opened makes that one fail; with `on` such a store keeps the server from starting.",
  }),
  maxRows: integer({
    default: 10_000_000,
    minimum: 1,
    maximum: 1_000_000_000,
    description: "Most rows of one job.",
  }),
  maxUploadBytes: integer({
    default: 1024 * 1024 * 1024,
    minimum: 1024,
    maximum: 1024 * 1024 * 1024 * 1024,
    description: "Longest upload of rows, after decompression. It is stored as it comes in.",
  }),
  receiveTimeoutMs: integer({
    default: HOUR_MS,
    minimum: 1000,
    maximum: DAY_MS,
    description: "Time that an upload may take. What has not come whole by then is removed.",
  }),
  chunkRows: integer({
    default: 512,
    minimum: 1,
    maximum: 10_000,
    description:
      "Rows that a worker answers and stores at once. What a worker that dies has to be done again is at most this for each of its chunks.",
  }),
  concurrency: integer({
    default: 2,
    minimum: 1,
    maximum: 256,
    description: "Chunks that one process works on at once.",
  }),
  leaseMs: integer({
    default: 30_000,
    minimum: 1000,
    maximum: HOUR_MS,
    description: "A chunk whose worker says nothing for so long is given to another.",
  }),
  maxAttempts: integer({
    default: 8,
    minimum: 1,
    maximum: 1000,
    description:
      "How often a chunk is tried while its model is busy or away, before its rows get that as their error.",
  }),
  maxAgeMs: integer({
    default: 7 * DAY_MS,
    minimum: 1000,
    maximum: 365 * DAY_MS,
    description: "A job that has not ended so long after its submission has failed.",
  }),
  retentionMs: integer({
    default: 7 * DAY_MS,
    minimum: 1000,
    maximum: 365 * DAY_MS,
    description: "How long a job that has ended is kept with its rows and results.",
  }),
  sweepMs: integer({
    default: 10_000,
    minimum: 100,
    maximum: HOUR_MS,
    description: "How often to look for jobs that were left lying and for those that have expired.",
  }),
  stallMs: integer({
    default: 60_000,
    minimum: 1000,
    maximum: DAY_MS,
    description:
      "A job without progress for so long has its chunks handed out again; more than `jobs.leaseMs`.",
  }),
  sources: sourceSettings,
});
