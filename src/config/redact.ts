import { isRecord } from "./check-value.ts";
import type { Config } from "./schema.ts";
import { configSchema } from "./schema.ts";
import type { ConfigNode, DriverChoiceSchema } from "./setting.ts";
import { isDriverChoice } from "./setting-list.ts";

/** What stands in the place of a secret. */
export const REDACTED = "***";

/** A copy of the configuration that may be printed: same shape, secrets replaced by `***` unless they are empty. */
export function redactConfig(config: Config): Config {
  return redact(configSchema, config) as Config;
}

function redact(schema: ConfigNode, value: unknown): unknown {
  if (isDriverChoice(schema)) return redactDriver(schema, value);
  if ("secret" in schema && schema.secret === true) return value === "" ? "" : REDACTED;
  if (Array.isArray(value)) {
    const items = "items" in schema ? schema.items : undefined;
    return items === undefined ? [...value] : value.map((element) => redact(items, element));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      const own = schema.properties?.[key];
      return [key, own === undefined ? child : redact(own, child)];
    }),
  );
}

function redactDriver(schema: DriverChoiceSchema, value: unknown): unknown {
  if (!isRecord(value)) return value;
  const chosen = schema.anyOf.find(
    ({ properties }) => properties?.["driver"]?.const === value["driver"],
  );
  return chosen === undefined ? value : redact(chosen, value);
}
