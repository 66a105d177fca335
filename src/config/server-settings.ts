import { boolean, choice, integer, item, list, section } from "./setting.ts";

/** Where the server listens and what it lets a connection do. */
export const serverSettings = section("Where the server listens and what a connection may do.", {
  host: {
    type: "string",
    minLength: 1,
    default: "127.0.0.1",
    aliases: ["SLUICE_HOST"],
    description:
      "Address to listen on. The default is reachable from this machine only; `0.0.0.0` or `::` is reachable from outside and then needs keys (see `auth`).",
  },
  port: integer({
    default: 8000,
    minimum: 0,
    maximum: 65_535,
    environment: "SLUICE_PORT",
    aliases: ["SLUICE_SERVER_PORT", "PORT"],
    description: "TCP port to listen on; 0 takes any free port, which is printed at start.",
  }),
  processes: integer({
    default: 1,
    minimum: 0,
    maximum: 1024,
    aliases: ["SLUICE_PROCESSES"],
    description:
      "Processes that serve on the same port. More than one pays for cheap models, whose limit is the server itself; models in worker threads use all cores already. 0 is one per core. Each has a result cache of its own.",
  }),
  maxBodyBytes: integer({
    default: 1_048_576,
    minimum: 1024,
    maximum: 1_073_741_824,
    description:
      "Longest request body. A longer one is refused before it is read to the end. Compressed bodies count as what they hold.",
  }),
  maxTensorBodyBytes: integer({
    default: 67_108_864,
    minimum: 1024,
    maximum: 1_073_741_824,
    description:
      "Longest request body at the addresses of protocols that carry tensors, such as images, and longest message over gRPC. Compressed bodies count as what they hold.",
  }),
  maxJsonDepth: integer({
    default: 32,
    minimum: 4,
    maximum: 1000,
    description: "Deepest nesting of arrays and objects in a JSON body.",
  }),
  maxHeaderBytes: integer({
    default: 16_384,
    minimum: 1024,
    maximum: 1_048_576,
    description: "Longest request head: the request line and all headers together.",
  }),
  requestTimeoutMs: integer({
    default: 30_000,
    minimum: 100,
    maximum: 3_600_000,
    description:
      "Time that a client may take to send its whole request. It stops clients that hold connections open by sending slowly.",
  }),
  headersTimeoutMs: integer({
    default: 10_000,
    minimum: 100,
    maximum: 3_600_000,
    description:
      "Time that a client may take to send the request's head. At most `server.requestTimeoutMs`. A new connection on which nothing at all is sent ends then, without an answer.",
  }),
  keepAliveTimeoutMs: integer({
    default: 65_000,
    minimum: 0,
    maximum: 3_600_000,
    description:
      "Time that an idle connection is kept for its next request. Keep it longer than the idle time of the load balancer in front (often 60 s), which would otherwise send into a closing connection.",
  }),
  maxConnections: integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "Connections open at the same time; further ones are closed at once.",
  }),
  trustProxy: list(
    { type: "string", format: "address-range" },
    {
      maxItems: 1000,
      description:
        "Addresses or CIDR ranges of proxies whose `X-Forwarded-For` is believed. With an empty list the header is ignored, so that callers cannot choose the address they are counted under.",
    },
  ),
});

/** What one request may contain and how long it may take. */
export const limitSettings = section("What one request may contain and how long it may take.", {
  maxTextCharacters: integer({
    default: 5000,
    minimum: 1,
    maximum: 100_000,
    description: "Longest text to classify, in Unicode characters.",
  }),
  maxTextsPerRequest: integer({
    default: 1000,
    minimum: 1,
    maximum: 100_000,
    description: "Most texts in one request.",
  }),
  maxStreamedTexts: integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: "Most texts in a request whose answers are streamed.",
  }),
  defaultDeadlineMs: integer({
    default: 30_000,
    minimum: 1,
    maximum: 3_600_000,
    description:
      "Time after which a request that names no deadline of its own is given up. At most `limits.maxDeadlineMs`.",
  }),
  maxDeadlineMs: integer({
    default: 300_000,
    minimum: 1,
    maximum: 3_600_000,
    description: "Longest deadline that a caller may ask for.",
  }),
});

const keySettings = item(
  {
    id: {
      type: "string",
      pattern: "^[a-z0-9]+(-[a-z0-9]+)*$",
      patternMeaning: "lower-case letters and digits, with single hyphens between them",
      description: "Name of the key in logs, limits and metrics. Not a secret.",
    },
    sha256: {
      type: "string",
      pattern: "^[0-9a-f]{64}$",
      patternMeaning: "the SHA-256 of the key as 64 lower-case hex digits",
      secret: true,
      description: "SHA-256 of the key, so that this file does not hold the key itself.",
    },
    expiresAt: {
      type: "string",
      format: "date-time",
      description: "Moment from which the key is refused, e.g. `2030-01-31T00:00:00Z`.",
    },
    weight: {
      type: "number",
      minimum: 0.01,
      maximum: 1000,
      description:
        "Share of a busy model that this key may claim, relative to other callers, who have 1 unless they are given more.",
    },
    rateLimitRequests: {
      type: "integer",
      minimum: 0,
      maximum: 1_000_000_000,
      description:
        "Requests per `rateLimit.windowMs` for this key instead of `rateLimit.requests`; 0 is no limit.",
    },
  },
  ["expiresAt", "rateLimitRequests", "weight"],
);

/** Who may call. */
export const authSettings = section("Who may call.", {
  keys: list(keySettings, {
    maxItems: 10_000,
    description:
      "API keys that may call, each with `id`, `sha256` and optionally `expiresAt`, `rateLimitRequests` and `weight`. `sluice keys create` makes an entry.",
  }),
  required: choice(["auto", "always", "never"], {
    default: "auto",
    description:
      "Whether callers must present a key. `auto` requires one unless `server.host` is a loopback address.",
  }),
  allowAnonymous: boolean({
    default: false,
    environment: "SLUICE_ALLOW_ANONYMOUS",
    aliases: ["SLUICE_AUTH_ALLOW_ANONYMOUS"],
    description:
      "Consent to serve callers without a key on an address that other machines can reach. Without it the server refuses to start that way.",
  }),
});
