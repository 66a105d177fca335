import { choice, driver, driverChoice, integer, section, text } from "./setting.ts";

/** Settings of a Redis server that must keep nobody waiting. */
const redisSettings = {
  url: {
    type: "string",
    secret: true,
    pattern: "^rediss?://\\S+$",
    patternMeaning: "an address such as redis://user:password@host:6379/0",
    default: "redis://127.0.0.1:6379",
    description: "Address of the server, with user, password and number of the database.",
  },
  timeoutMs: integer({
    default: 20,
    minimum: 1,
    maximum: 10_000,
    description: "How long to wait for an answer; a server that takes longer is passed over.",
  }),
  connectTimeoutMs: integer({
    default: 2000,
    minimum: 10,
    maximum: 60_000,
    description: "How long to wait for a connection.",
  }),
  prefix: text({
    default: "sluice:",
    description:
      "First part of every key; another one for each installation that shares the server.",
  }),
} as const;

/** How many requests each caller may send. */
export const rateLimitSettings = section("How many requests each caller may send.", {
  store: driverChoice(
    [
      driver("memory", "Counts in this process only.", {
        maxKeys: integer({
          default: 100_000,
          minimum: 1,
          maximum: 10_000_000,
          description:
            "Most callers counted at the same time; beyond it the ones seen longest ago are forgotten.",
        }),
      }),
      driver("redis", "Counts in a Redis server, version 6 or later, which all replicas share.", {
        ...redisSettings,
        whenDown: choice(["own", "allow", "refuse"], {
          default: "own",
          description:
            "What happens while the server is away: `own`: each process counts for itself; `allow`: nobody is limited; `refuse`: nobody is answered.",
        }),
      }),
    ],
    {
      defaultDriver: "memory",
      description:
        "Where the counts are kept. `memory` is right for one replica; `redis` is exact for any number, and costs each request a round trip.",
    },
  ),
  requests: integer({
    default: 6000,
    minimum: 0,
    maximum: 1_000_000_000,
    description: "Requests that one caller may send per window; 0 switches the limit off.",
  }),
  windowMs: integer({
    default: 60_000,
    minimum: 100,
    maximum: 86_400_000,
    description: "Length of the window in which requests are counted.",
  }),
});

/** Which results are remembered and for how long. */
export const cacheSettings = section("Which results are remembered and for how long.", {
  store: driverChoice(
    [
      driver("memory", "Keeps results in this process only.", {
        maxBytes: integer({
          default: 67_108_864,
          minimum: 65_536,
          maximum: 1_099_511_627_776,
          description: "Memory for results; beyond it the ones used longest ago are dropped.",
        }),
      }),
      driver(
        "redis",
        "Keeps results in a Redis server, version 6 or later, which all replicas share. Set its maxmemory-policy to allkeys-lru. Keys hold the texts.",
        redisSettings,
      ),
      driver("none", "Remembers nothing.", {}),
    ],
    {
      defaultDriver: "memory",
      description: "Where results are kept. `none` switches the cache off.",
    },
  ),
  ttlSeconds: integer({
    default: 300,
    minimum: 1,
    maximum: 31_536_000,
    description: "Time for which a result is used again for the same text, model and version.",
  }),
});

/** When the whole server refuses work to stay responsive. */
export const overloadSettings = section("When the whole server refuses work to stay responsive.", {
  maxEventLoopLagMs: integer({
    default: 250,
    minimum: 0,
    maximum: 60_000,
    description:
      "Delay of the event loop above which new requests are refused with 429; 0 switches the check off.",
  }),
});
