import { parse } from "yaml";
import { pickList, pickRecord, pickText } from "./pick.ts";

/** A service of a Compose file, merged and interpolated. */
export interface ComposeService {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Services that must run before it, with the condition. */
  readonly dependsOn: Readonly<Record<string, string>>;
  readonly networks: readonly string[];
}

/**
 * Reads a Compose file as Compose does: merges (`<<`), then variables (`${NAME}`, `${NAME:-default}`, `${NAME:?message}`,
 * and `$$` for a dollar sign).
 *
 * @throws Error for a variable that is required or without a default, and not in `variables`
 */
export function readCompose(
  source: string,
  variables: Readonly<Record<string, string>>,
): { readonly document: unknown; readonly services: readonly ComposeService[] } {
  const document: unknown = interpolate(
    parse(source, { merge: true, uniqueKeys: true }),
    variables,
  );
  const services = Object.entries(pickRecord(document, "services")).map(([name, definition]) => ({
    name,
    definition: pickRecord({ definition }, "definition"),
    environment: Object.fromEntries(
      Object.entries(pickRecord(definition, "environment")).map(([key, value]) => [
        key,
        String(value),
      ]),
    ),
    dependsOn: Object.fromEntries(
      Object.entries(pickRecord(definition, "depends_on")).map(([key, value]) => [
        key,
        pickText(value, "condition"),
      ]),
    ),
    networks: pickList(definition, "networks").map(String),
  }));
  return { document, services };
}

/** `NAME=value` lines; quotes around a value are left out. */
export function readEnvironmentFile(source: string): Readonly<Record<string, string>> {
  const pairs = [...source.matchAll(/^([A-Z_]+)=(?:'([^']*)'|(.*))$/gm)];
  return Object.fromEntries(pairs.map(([, name, quoted, plain]) => [name, quoted ?? plain]));
}

function interpolate(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") return interpolateText(value, variables);
  if (Array.isArray(value)) return value.map((element) => interpolate(element, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, interpolate(child, variables)]),
  );
}

function interpolateText(text: string, variables: Readonly<Record<string, string>>): string {
  const pattern = /\$\$|\$\{([A-Z_]+)(?:(:[-?])([^}]*))?\}/g;
  return text.replace(pattern, (all, name?: string, operator?: string, rest = "") => {
    if (name === undefined) return "$";
    const value = variables[name];
    if (value !== undefined && value !== "") return value;
    if (operator === ":-") return rest;
    throw new Error(`${all} has no value.`);
  });
}
