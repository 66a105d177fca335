import { configSchema } from "./schema.ts";
import type {
  ConfigNode,
  DriverChoiceSchema,
  RootSchema,
  SectionSchema,
  ValueSchema,
} from "./setting.ts";

/** One setting with everything that the layers need to know about it. */
export interface Setting {
  /** Dotted path, e.g. `cache.store.maxBytes`. Two drivers of one choice may share a path. */
  readonly path: string;
  readonly schema: ValueSchema;
  readonly description: string;
  readonly defaultValue: unknown;
  /** Names in the environment; the first is ours, each further one gives way to those before it. */
  readonly environmentNames: readonly [string, ...string[]];
  /** Set when the setting exists only for one driver: `choice` is the path of the setting that chooses. */
  readonly driver?: { readonly choice: string; readonly name: string };
}

/** The settings of `schema` in the order in which it declares them. */
export function listSettings(schema: RootSchema): Setting[] {
  return listGroup(schema, "");
}

function listGroup({ properties }: RootSchema | SectionSchema, prefix: string): Setting[] {
  return Object.entries(properties).flatMap(([name, child]) => {
    const path = `${prefix}${name}`;
    if (isDriverChoice(child)) return listDriverSettings(path, child);
    return isSection(child) ? listGroup(child, `${path}.`) : [createSetting(path, child)];
  });
}

/** Every setting of Sluice. */
export const SETTINGS: readonly Setting[] = listSettings(configSchema);

/** Whether a child of a group is a group of settings rather than a setting that is an object. */
export function isSection(schema: ConfigNode): schema is SectionSchema {
  return !isDriverChoice(schema) && schema.type === "object" && schema.properties !== undefined;
}

/** Whether a child of a section is a choice between drivers. */
export function isDriverChoice(schema: ConfigNode): schema is DriverChoiceSchema {
  return "anyOf" in schema;
}

/** The environment name of a path: `batching.maxBatchItems` is `SLUICE_BATCHING_MAX_BATCH_ITEMS`. */
export function toEnvironmentName(path: string): string {
  const words = path.replaceAll(".", "_").replace(/([a-z0-9])([A-Z])/g, "$1_$2");
  return `SLUICE_${words.toUpperCase()}`;
}

/** The flag of a path: `batching.maxBatchItems` is `--batching.max-batch-items`. */
export function toFlagName(path: string): string {
  return `--${path.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function listDriverSettings(path: string, schema: DriverChoiceSchema): Setting[] {
  const names = schema.anyOf.flatMap((driver) => driver.properties?.["driver"]?.const ?? []);
  const choice: Setting = createSetting(`${path}.driver`, {
    type: "string",
    enum: names,
    default: schema.defaultDriver,
    description: schema.description,
  });
  const own = schema.anyOf.flatMap((driver, index) =>
    Object.entries(driver.properties ?? {})
      .filter(([key]) => key !== "driver")
      .map(([key, child]) => ({
        ...createSetting(`${path}.${key}`, child),
        driver: { choice: choice.path, name: names[index] ?? "" },
      })),
  );
  return [choice, ...own];
}

function createSetting(path: string, schema: ValueSchema): Setting {
  return {
    path,
    schema,
    description: schema.description ?? "",
    defaultValue: schema.default,
    environmentNames: [schema.environment ?? toEnvironmentName(path), ...(schema.aliases ?? [])],
  };
}
