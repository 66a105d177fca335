import { choice, driver, driverChoice, integer, section, text } from "./setting.ts";

/** Collections of vectors. */
export const vectorSettings = section(
  "Collections of vectors: items to search, and examples that classify.",
  {
    enabled: choice(["auto", "off"], {
      default: "auto",
      description:
        "Whether this server keeps collections. With `auto` the store is opened when somebody first needs it.",
    }),
    defaultCollection: text({
      default: "examples",
      pattern: "^[a-z][a-z0-9_-]{0,62}$",
      patternMeaning: "1 to 63 of a-z, 0-9, _ and -, first a letter",
      description: "Whose examples `/classify` looks at when the caller names no collection.",
    }),
    store: driverChoice(
      [
        driver("sqlite", "A file of this machine; every item is compared.", {
          path: text({
            default: "data/vectors.db",
            description:
              "The file; it and its folder are made when the first item comes. Items hold texts of callers, so it is readable by this user alone.",
          }),
          busyTimeoutMs: integer({
            default: 5000,
            minimum: 0,
            maximum: 600_000,
            description: "How long to wait for another process that writes.",
          }),
        }),
        driver(
          "pgvector",
          "A PostgreSQL server with the extension pgvector, 0.5 or later, which all replicas share.",
          {
            url: {
              type: "string",
              secret: true,
              pattern: "^postgres(ql)?://\\S+$",
              patternMeaning: "an address such as postgres://user:password@host:5432/database",
              default: "postgres://localhost:5432/sluice",
              description: "Address of the database, with user and password.",
            },
            maxConnections: integer({
              default: 5,
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
          },
        ),
      ],
      {
        defaultDriver: "sqlite",
        description: "Where vectors are kept. `sqlite` is right for one replica.",
      },
    ),
  },
);
