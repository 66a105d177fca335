/**
 * The vocabulary in which settings are written: small functions that return JSON Schema.
 *
 * They return plain objects and take only types from TypeBox, whose `Static` reads them as they are. Loading
 * TypeBox's own builders costs more than a tenth of a second, which every start and every command would pay.
 */

/** What every setting says about itself, whatever its type. */
export interface SettingText {
  /** One or two sentences for the reference page and for editors. */
  readonly description: string;
  /** Our environment name, where it is not the one derived from the path. */
  readonly environment?: string;
  /** Further environment names that are accepted; each gives way to the names before it. */
  readonly aliases?: readonly string[];
}

/** Checks on strings that need more than a pattern. */
export type StringFormat = "date-time" | "address-range";

/** Any schema that can stand for a value of a setting, as the loader reads it. */
export interface ValueSchema {
  readonly type: "integer" | "number" | "string" | "boolean" | "array" | "object";
  readonly description?: string;
  readonly default?: unknown;
  readonly environment?: string;
  readonly aliases?: readonly string[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  /** What `pattern` means, in words: an expression explains nothing to the person who mistyped. */
  readonly patternMeaning?: string;
  readonly format?: StringFormat;
  readonly secret?: true;
  readonly items?: ValueSchema;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: ValueSchema;
  readonly additionalProperties?: false | ValueSchema;
}

/** Settings that exist only for one driver, chosen by `driver`. */
export interface DriverChoiceSchema {
  readonly description: string;
  readonly defaultDriver: string;
  readonly anyOf: readonly ValueSchema[];
}

/** A named group of settings, which may hold groups in its turn. */
export interface SectionSchema {
  readonly type: "object";
  readonly description: string;
  readonly properties: Readonly<Record<string, ValueSchema | DriverChoiceSchema | SectionSchema>>;
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

/** The whole configuration: sections, and settings that belong to none. */
export interface RootSchema {
  readonly type: "object";
  readonly description: string;
  readonly properties: Readonly<Record<string, ValueSchema | SectionSchema>>;
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

/** Any node of the configuration schema. */
export type ConfigNode = ValueSchema | DriverChoiceSchema | SectionSchema | RootSchema;

interface NumberText extends SettingText {
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** A whole number between `minimum` and `maximum`, both included. */
export function integer(text: NumberText) {
  return { type: "integer" as const, ...text };
}

/** A number between `minimum` and `maximum`, both included. */
export function number(text: NumberText) {
  return { type: "number" as const, ...text };
}

/** True or false. */
export function boolean(text: SettingText & { readonly default: boolean }) {
  return { type: "boolean" as const, ...text };
}

/** A string that is not empty. */
export function text(
  options: SettingText & {
    readonly default: string;
    readonly pattern?: string;
    readonly patternMeaning?: string;
  },
) {
  return { type: "string" as const, minLength: 1, ...options };
}

/** One of a closed list of words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  words: Words,
  options: SettingText & { readonly default: Words[number] },
) {
  return { type: "string" as const, enum: words, ...options };
}

/** A list. Through the environment and flags it is written as JSON. */
export function list<const Items extends ValueSchema>(
  items: Items,
  options: SettingText & { readonly maxItems: number },
) {
  return { type: "array" as const, items, default: [], ...options };
}

/** A map from names to strings. Through the environment and flags it is written as JSON. */
export function map<const Values extends ValueSchema>(
  names: ValueSchema,
  values: Values,
  options: SettingText,
) {
  return {
    type: "object" as const,
    propertyNames: names,
    additionalProperties: values,
    default: {},
    ...options,
  };
}

/** The list of required keys as `Static` wants it: a tuple, of which it only reads the members' union. */
type NamesOf<Key extends string> = [Key];

/** An object inside a list; every key that is not in `optional` is required. */
export function item<
  const Properties extends Readonly<Record<string, ValueSchema>>,
  const Optional extends readonly (keyof Properties & string)[],
>(properties: Properties, optional: Optional) {
  const optionalKeys: readonly string[] = optional;
  return {
    type: "object" as const,
    properties,
    required: Object.keys(properties).filter((key) => !optionalKeys.includes(key)) as NamesOf<
      Exclude<keyof Properties & string, Optional[number]>
    >,
    additionalProperties: false as const,
  };
}

/** One driver of a `driverChoice`, with the settings that exist only for it. */
export function driver<
  const Name extends string,
  const Settings extends Readonly<Record<string, ValueSchema>>,
>(name: Name, description: string, settings: Settings) {
  return {
    description,
    ...item({ driver: { type: "string", const: name }, ...settings }, []),
  };
}

/** A discriminated union over `driver`. */
export function driverChoice<const Drivers extends readonly [ValueSchema, ...ValueSchema[]]>(
  drivers: Drivers,
  options: { readonly description: string; readonly defaultDriver: string },
) {
  return { anyOf: drivers, ...options };
}

/** A named group of settings. */
export function section<const Properties extends SectionSchema["properties"]>(
  description: string,
  properties: Properties,
) {
  return { description, ...closedObject(properties) };
}

/** The outermost group: sections and single settings. */
export function root<const Properties extends RootSchema["properties"]>(
  description: string,
  properties: Properties,
) {
  return { description, ...closedObject(properties) };
}

function closedObject<const Properties extends object>(properties: Properties) {
  return {
    type: "object" as const,
    properties,
    required: Object.keys(properties) as NamesOf<keyof Properties & string>,
    additionalProperties: false as const,
  };
}
