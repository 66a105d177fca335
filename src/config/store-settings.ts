import { driver, driverChoice, integer, section, text } from "./setting.ts";

const POSTGRES_URL = {
  type: "string",
  secret: true,
  pattern: "^postgres(ql)?://\\S+$",
  patternMeaning: "an address such as postgres://user:password@host:5432/database",
} as const;

const NATS_URL = {
  type: "string",
  secret: true,
  pattern: "^(nats|tls)://\\S+$",
  patternMeaning: "an address such as nats://user:password@host:4222",
} as const;

/** Where records are kept: jobs with their rows, and the queue of work where it is a table. */
export const recordSettings = section(
  "The database of records: jobs with their rows, and the queue of work where that is a table.",
  {
    store: driverChoice(
      [
        driver("sqlite", "A file of this machine, which its processes may share.", {
          path: text({
            default: "data/sluice.db",
            description:
              "The file; it and its folder are made when the first record comes. Jobs hold texts of callers, so it is readable by this user alone.",
          }),
          busyTimeoutMs: integer({
            default: 5000,
            minimum: 0,
            maximum: 600_000,
            description: "How long to wait for another process that writes.",
          }),
        }),
        driver("postgres", "A PostgreSQL server, version 13 or later, which all replicas share.", {
          url: {
            ...POSTGRES_URL,
            default: "postgres://localhost:5432/sluice",
            description: "Address of the database, with user and password.",
          },
          maxConnections: integer({
            default: 10,
            minimum: 1,
            maximum: 1000,
            description: "Most connections of one process.",
          }),
          connectTimeoutMs: integer({
            default: 5000,
            minimum: 100,
            maximum: 600_000,
            description: "How long to wait for a connection.",
          }),
          statementTimeoutMs: integer({
            default: 30_000,
            minimum: 100,
            maximum: 3_600_000,
            description: "A statement that takes longer is given up.",
          }),
        }),
      ],
      {
        defaultDriver: "sqlite",
        description: "Where records are kept. `sqlite` is right for one replica.",
      },
    ),
  },
);

/** How work is handed to workers. */
export const queueSettings = section("How work, such as the rows of jobs, is handed to workers.", {
  store: driverChoice(
    [
      driver("table", "A table of the database of records.", {
        pollMs: integer({
          default: 500,
          minimum: 10,
          maximum: 60_000,
          description: "How often a worker looks for work that another process has added.",
        }),
      }),
      driver("nats", "JetStream, the store of NATS: nats-server 2.9 or later.", {
        url: {
          ...NATS_URL,
          default: "nats://localhost:4222",
          description: "Address of the server, with user and password or token.",
        },
        prefix: {
          type: "string",
          pattern: "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$",
          patternMeaning: "words with full stops between them",
          default: "sluice",
          description:
            "First words of the subjects: `sluice` gives `sluice.work.>` and `sluice.dead.>`. The streams, `SLUICE-WORK` and `SLUICE-DEAD`, are made when they are missing.",
        },
        replicas: integer({
          default: 1,
          minimum: 1,
          maximum: 5,
          description:
            "Servers of a cluster that each keep all work, when the streams are made; streams that are there stay as they are.",
        }),
        timeoutMs: integer({
          default: 5000,
          minimum: 100,
          maximum: 600_000,
          description: "Time that one call may take, the connection included.",
        }),
      }),
    ],
    {
      defaultDriver: "table",
      description:
        "What the queue is kept in. A table is shared by all who share the database; `nats` is for many workers.",
    },
  ),
});
