import { choice, integer, section } from "./setting.ts";

/** How the server stops. */
export const shutdownSettings = section("How the server stops.", {
  drainDelayMs: integer({
    default: 0,
    minimum: 0,
    maximum: 600_000,
    description:
      "Time between reporting not ready and closing the port, for load balancers to notice. On Kubernetes 5000 is usual.",
  }),
  graceMs: integer({
    default: 20_000,
    minimum: 0,
    maximum: 3_600_000,
    description: "Time for requests that have begun to be answered; after it they are cut off.",
  }),
});

/** What the server writes about itself. */
export const loggingSettings = section("What the server writes about itself.", {
  level: choice(["trace", "debug", "info", "warn", "error", "silent"], {
    default: "info",
    description: "Least important message that is still written.",
  }),
  format: choice(["auto", "json", "pretty"], {
    default: "auto",
    description:
      "One JSON object per line, or text for people. `auto` is `pretty` on a terminal and `json` elsewhere.",
  }),
  access: choice(["off", "errors", "all"], {
    default: "errors",
    description:
      "Which requests are logged: none, those answered with an error status, or every one.",
  }),
});

/** How many copies serve together. */
export const replicas = integer({
  default: 1,
  minimum: 1,
  maximum: 10_000,
  description:
    "Copies of this program that serve together. More than one needs stores that they share.",
});
