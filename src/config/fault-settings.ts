import { boolean, choice, item, list, section } from "./setting.ts";

const NAMED = { type: "string", minLength: 1 } as const;

const percentage = item(
  { value: { type: "number", minimum: 0, maximum: 100, description: "Percent of the requests." } },
  [],
);

const headerMatch = item({ exact: NAMED, prefix: NAMED, suffix: NAMED }, [
  "exact",
  "prefix",
  "suffix",
]);

/** A fault as the API takes it, with its name. What types do not tell is checked when the server starts. */
const rule = item(
  {
    name: { ...NAMED, description: "Lower-case letters, digits and hyphens." },
    match: item(
      {
        everything: { type: "boolean" },
        model: NAMED,
        version: NAMED,
        key: { ...NAMED, description: "Id of an API key." },
        headers: { type: "object", additionalProperties: headerMatch },
      },
      ["everything", "model", "version", "key", "headers"],
    ),
    delay: item({ percentage, fixedDelay: NAMED }, []),
    abort: item({ percentage, httpStatus: { type: "integer" }, grpcStatus: NAMED }, [
      "httpStatus",
      "grpcStatus",
    ]),
    ttl: { ...NAMED, description: "From the start of the server on, e.g. `10m`; at most 24h." },
  },
  ["delay", "abort"],
);

/** Faults that are made on purpose. */
export const faultSettings = section(
  "Faults on purpose: requests that are delayed or aborted to try what their callers do then.",
  {
    enabled: choice(["off", "on"], {
      default: "off",
      description:
        "Whether faults may be set. With `on`, an address that other machines reach is refused unless `faults.allowPublic` is true.",
    }),
    rules: list(rule, {
      maxItems: 100,
      description:
        "Faults that hold from the start, with the fields of `PUT /v1/faults/{name}` and a name; the first that matches a request decides.",
    }),
    operators: list(
      { type: "string", minLength: 1 },
      {
        maxItems: 1000,
        description:
          "Ids of the API keys that may set and remove faults. With none, the default, every caller may, which only a server on a loopback address lets them; everybody may look.",
      },
    ),
    allowPublic: boolean({
      default: false,
      description:
        "Whether faults may be on where other machines reach the server, as in production; `faults.operators` must name somebody then.",
    }),
  },
);
