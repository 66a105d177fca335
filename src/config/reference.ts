import { configSchema } from "./schema.ts";
import type { RootSchema, ValueSchema } from "./setting.ts";
import type { Setting } from "./setting-list.ts";
import { listSettings } from "./setting-list.ts";

const INTRODUCTION = `# Configuration

<!-- Generated from src/config by \`npm run generate\`. Change the settings there, not this page. -->

Sluice starts without any configuration. Every setting has a default, and four layers lie over each other, the later
over the earlier:

1. the defaults on this page;
2. a YAML file: \`sluice.yaml\` in the working directory if it is there, or the file that \`--config FILE\` or
   \`SLUICE_CONFIG\` names;
3. environment variables;
4. flags: the path of the setting after two hyphens, as in \`--server.port 9000\` or \`--server.max-body-bytes 65536\`.

\`\`\`yaml
# yaml-language-server: $schema=sluice.schema.json
server:
  host: 0.0.0.0
  port: 8000
auth:
  keys:
    - id: web-shop
      sha256: 0b6a1f3a2d2e5d0c1c8f1d5d8c4f3e2b1a0f9e8d7c6b5a4f3e2d1c0b0a090807
cache:
  store:
    driver: memory
    maxBytes: 134217728
  ttlSeconds: 600
models:
  defaultVersions:
    text-classification: 1.0.0
\`\`\`

In the environment and in flags, lists and maps are written as JSON, and \`true\`, \`yes\` and \`1\` mean the same, as do
\`false\`, \`no\` and \`0\`. Where several environment names are given, the first that is set counts.

\`sluice config schema > sluice.schema.json\` writes the schema that the first line of the example names; editors that
know it complete and check the file as you type.

Unknown names, values out of range and settings that contradict each other are all reported together, each with the
place it came from, and nothing starts. \`sluice config check\` does the same without starting, and
\`sluice config show\` prints the configuration in effect with the origin of each value.
`;

const UNITS: readonly (readonly [RegExp, string])[] = [
  [/Ms$/, "milliseconds"],
  [/Seconds$/, "seconds"],
  [/Bytes$/, "bytes"],
  [/Characters$/, "characters"],
  [/Tokens$/, "tokens"],
];

/** The reference page as Markdown: a table per section, with an introduction about the layers. */
export function renderConfigurationReference(schema: RootSchema = configSchema): string {
  const settings = listSettings(schema);
  const sections = Object.entries(schema.properties).flatMap(([name, child]) => {
    const own = settings.filter(({ path }) => path.startsWith(`${name}.`));
    if (own.length === 0) return [];
    const tables = [renderTable(own), ...own.flatMap(renderEntries)];
    return [`## ${name}\n\n${child.description ?? ""}\n\n${tables.join("\n")}`];
  });
  const single = settings.filter(({ path }) => !path.includes("."));
  const rest = single.length === 0 ? [] : [`## Outside any section\n\n${renderTable(single)}`];
  return [INTRODUCTION, ...sections, ...rest].join("\n");
}

/** JSON Schema 2020-12 of the YAML file, for editors. Every setting is optional there. */
export function renderConfigJsonSchema(): string {
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Sluice configuration",
    ...toEditorSchema(configSchema, new Map(listSettings(configSchema).map((s) => [s.schema, s]))),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function renderTable(settings: readonly Setting[]): string {
  const rows = settings.map((setting) => {
    const { path, driver, schema, description, defaultValue, environmentNames } = setting;
    const condition =
      driver === undefined ? "" : ` Only with \`${driver.choice}: ${driver.name}\`.`;
    const names = environmentNames.map((name) => `\`${name}\``).join(", ");
    const value = `\`${typeof defaultValue === "string" ? defaultValue : JSON.stringify(defaultValue)}\``;
    return [`\`${path}\``, value, toTypeText(path, schema), names, description + condition];
  });
  return toMarkdownTable(
    ["Setting", "Default", "Type and range", "Environment", "What it does"],
    rows,
  );
}

/** The keys of the objects in a list, as a second table. */
function renderEntries({ path, schema }: Setting): string[] {
  const properties = schema.items?.properties;
  if (properties === undefined) return [];
  const rows = Object.entries(properties).map(([key, child]) => [
    `\`${key}\``,
    schema.items?.required?.includes(key) === true ? "yes" : "no",
    toTypeText(key, child),
    child.description ?? "",
  ]);
  const table = toMarkdownTable(["Key", "Required", "Type and range", "What it is"], rows);
  return [`Each entry of \`${path}\`:\n\n${table}`];
}

function toMarkdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const toRow = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return [head, head.map(() => "---"), ...rows].map(toRow).join("");
}

function toTypeText(path: string, schema: ValueSchema): string {
  const unit = UNITS.find(([pattern]) => pattern.test(path))?.[1];
  switch (schema.type) {
    case "integer":
    case "number": {
      const type = schema.type === "integer" ? "whole number" : "number";
      const range = `${schema.minimum ?? "any"} to ${schema.maximum ?? "any"}`;
      return `${type}${unit === undefined ? "" : ` of ${unit}`}, ${range}`;
    }
    case "boolean":
      return "`true` or `false`";
    case "string":
      return toStringText(schema);
    case "array":
      return schema.items?.type === "object"
        ? "list of objects"
        : `list of: ${toTypeText("", schema.items ?? { type: "string" })}`;
    case "object":
      return "map of names to text";
  }
}

function toStringText(schema: ValueSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(", ");
  if (schema.format === "date-time") return "date and time with time zone (RFC 3339)";
  if (schema.format === "address-range") return "IP address or CIDR range";
  return schema.patternMeaning ?? "text";
}

/** Keywords that only our loader and this page read. */
const OWN_KEYWORDS: ReadonlySet<string> = new Set([
  "environment",
  "aliases",
  "patternMeaning",
  "secret",
  "defaultDriver",
  "required",
]);

function toEditorSchema(
  node: unknown,
  settings: ReadonlyMap<unknown, Setting>,
): Record<string, unknown> {
  if (typeof node !== "object" || node === null) return {};
  const editor: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (OWN_KEYWORDS.has(keyword)) continue;
    if (keyword === "format" && value === "address-range") continue;
    editor[keyword] = toEditorKeyword(keyword, value, settings);
  }
  const setting = settings.get(node);
  if (setting !== undefined) {
    editor["description"] = `${setting.description} Environment: ${setting.environmentNames[0]}.`;
  }
  return editor;
}

function toEditorKeyword(
  keyword: string,
  value: unknown,
  settings: ReadonlyMap<unknown, Setting>,
): unknown {
  if (keyword === "items") return toEntrySchema(value, settings);
  if (keyword === "anyOf" && Array.isArray(value)) {
    return value.map((member) => toEditorSchema(member, settings));
  }
  if (keyword === "properties" && typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return Object.fromEntries(
      entries.map(([key, child]) => [key, toEditorSchema(child, settings)]),
    );
  }
  const isSchema = keyword === "propertyNames" || keyword === "additionalProperties";
  return isSchema && typeof value === "object" ? toEditorSchema(value, settings) : value;
}

/** Unlike settings, the keys of a list's entries have no defaults: what is required there stays required. */
function toEntrySchema(value: unknown, settings: ReadonlyMap<unknown, Setting>): unknown {
  const required =
    typeof value === "object" && value !== null && "required" in value ? value.required : undefined;
  return { ...toEditorSchema(value, settings), ...(required === undefined ? {} : { required }) };
}
