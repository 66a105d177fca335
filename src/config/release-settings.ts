import { SECRET } from "./event-settings.ts";
import { releasePlan } from "./release-plan-settings.ts";
import { boolean, choice, integer, list, section } from "./setting.ts";

/** How new versions go live. */
export const releaseSettings = section(
  "Releases: how new versions go live, watched, and back by themselves when they are bad.",
  {
    enabled: choice(["auto", "on", "off"], {
      default: "auto",
      description:
        "Whether this server follows releases. With `auto` it does when its record database is there, and as soon as the first release is started; with `on` a store that cannot be opened keeps the server from starting.",
    }),
    operators: list(
      { type: "string", minLength: 1 },
      {
        maxItems: 1000,
        description:
          "Ids of the API keys that may start, pause, promote and roll back releases. With none, the default, every caller may; everybody may look.",
      },
    ),
    plans: list(releasePlan, {
      maxItems: 1000,
      description:
        "How releases of a model go, one plan for each: the fields of `POST /v1/releases` without a candidate. What a caller sends counts more. With `models.newVersions: release`, new versions go by it.",
    }),
    pollMs: integer({
      default: 250,
      minimum: 20,
      maximum: 10_000,
      description:
        "How often to look at the store: within so long a process routes requests as the others do.",
    }),
    leaseMs: integer({
      default: 5000,
      minimum: 500,
      maximum: 600_000,
      description:
        "How long the process that decides may be silent before another takes its place; more than `releases.pollMs`.",
    }),
    keepFinished: integer({
      default: 100,
      minimum: 1,
      maximum: 10_000,
      description:
        "How many releases of a model that have ended are kept, with what was decided in them; older ones are removed.",
    }),
    hookSecrets: list(SECRET, {
      maxItems: 4,
      description:
        "Secrets of Standard Webhooks with which questions to hooks are signed, one signature each, so that receivers may change from one to the next.",
    }),
    allowHttp: boolean({
      default: false,
      description:
        "Whether hooks may be asked by http://, which anybody on the way can read and change.",
    }),
    metricsUrl: {
      type: "string",
      pattern: "^(https?://\\S+)?$",
      patternMeaning: "an address that begins with http:// or https://, or nothing",
      default: "",
      description:
        "Server that speaks PromQL, such as Prometheus, Thanos or VictoriaMetrics, for metrics of kind `query` in plans: its address without `/api/v1/query`; empty for none.",
    },
    metricsToken: {
      type: "string",
      secret: true,
      default: "",
      description: "Token that is sent to that server as `Authorization: Bearer`; empty for none.",
    },
    metricsTimeoutMs: integer({
      default: 5000,
      minimum: 100,
      maximum: 60_000,
      description: "How long a query may take; a server that does not answer gives no verdict.",
    }),
    allowPrivateAddresses: boolean({
      default: false,
      description:
        "Whether hooks may be at addresses that are not on the public Internet, such as those of this network.",
    }),
  },
);
