import { boolean, choice, integer, item, list, number, section } from "./setting.ts";

/** A secret of Standard Webhooks. */
export const SECRET = {
  type: "string",
  secret: true,
  pattern: "^whsec_[A-Za-z0-9+/]{22,}={0,2}$",
  patternMeaning: "whsec_ and base64 of at least 16 bytes",
} as const;

/** A receiver of events. */
const webhook = item(
  {
    name: {
      type: "string",
      pattern: "^[A-Za-z0-9_-]+$",
      patternMeaning: "a name: letters, digits, underscores and hyphens",
      description: "Name in the log and in the list of failed deliveries.",
    },
    url: {
      type: "string",
      secret: true,
      pattern: "^https?://\\S+$",
      patternMeaning: "an address that begins with https:// or http://",
      description: "Where events are sent. It is kept secret, because such paths often are.",
    },
    secrets: {
      type: "array",
      items: SECRET,
      maxItems: 10,
      description:
        "Secrets that sign what is sent, one signature each: two while one takes the place of another. Left out, nothing is signed.",
    },
    kinds: {
      type: "array",
      items: {
        type: "string",
        pattern: "^(prediction|job|model|release|audit)\\.(\\*|[a-z]+)$",
        patternMeaning: "a kind of event such as job.completed, or job.* for all of jobs",
      },
      maxItems: 100,
      description:
        "Kinds of events that it gets, such as `job.completed`; `job.*` stands for all of jobs. Left out, all but `prediction.logged`.",
    },
  },
  ["secrets", "kinds"],
);

/** Whom the server tells what happened. */
export const eventSettings = section(
  "Events: whom the server tells what happened, by webhook or NATS.",
  {
    webhooks: list(webhook, {
      maxItems: 100,
      description: "Receivers of events over HTTP.",
    }),
    callbackSecrets: list(SECRET, {
      maxItems: 10,
      description: "Secrets that sign what is sent to addresses that callers gave with their jobs.",
    }),
    allowPrivateAddresses: boolean({
      default: false,
      description:
        "Whether callers may have events sent to addresses that are not on the public Internet, such as those of this network. It lets them reach what only this server can. `events.webhooks` may be anywhere in any case.",
    }),
    allowHttp: boolean({
      default: false,
      description:
        "Whether callers may have events sent by http://, which anybody on the way can read.",
    }),
    timeoutMs: integer({
      default: 10_000,
      minimum: 100,
      maximum: 600_000,
      description: "Time that one attempt to deliver may take.",
    }),
    maxAttempts: integer({
      default: 16,
      minimum: 1,
      maximum: 1000,
      description:
        "Attempts to deliver before an event is given up. Waits between them double from 5 seconds to 6 hours, so that 16 take up to a day.",
    }),
    concurrency: integer({
      default: 64,
      minimum: 1,
      maximum: 10_000,
      description: "Attempts under way at once in one process.",
    }),
    pollMs: integer({
      default: 500,
      minimum: 10,
      maximum: 60_000,
      description: "How often to look for events that other processes have written.",
    }),
    natsUrl: {
      type: "string",
      secret: true,
      pattern: "^((nats|tls)://\\S+)?$",
      patternMeaning: "an address such as nats://user:password@host:4222, or nothing",
      default: "",
      description:
        "Server of NATS whose JetStream gets events, too, with user and password or token; empty for none.",
    },
    natsPrefix: {
      type: "string",
      pattern: "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$",
      patternMeaning: "words with full stops between them",
      default: "sluice.events",
      description:
        "First words of the subjects: `sluice.events` gives `sluice.events.job.completed`. The stream has its name, in capitals and with hyphens.",
    },
    natsMaxAgeMs: integer({
      default: 7 * 86_400_000,
      minimum: 1000,
      maximum: 365 * 86_400_000,
      description:
        "How long the stream keeps events, when it is made; one that is there stays as it is.",
    }),
    predictionLog: choice(["off", "on"], {
      default: "off",
      description:
        "Whether answers are told as events `prediction.logged`: model, version, label, confidence and duration; never texts.",
    }),
    predictionSampleRate: number({
      default: 1,
      minimum: 0,
      maximum: 1,
      description: "Share of the answers that are told, by chance.",
    }),
    predictionBuffer: integer({
      default: 10_000,
      minimum: 1,
      maximum: 1_000_000,
      description:
        "Answers that wait to be told, in memory; what comes on top is dropped and counted, so that nobody waits for it.",
    }),
  },
);
