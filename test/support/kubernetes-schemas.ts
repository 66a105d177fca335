import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ErrorObject, ValidateFunction } from "ajv";
import { Ajv } from "ajv";
import type { Manifest } from "./helm-chart.ts";
import { pickList } from "./pick.ts";

/** Strict JSON Schemas of Kubernetes' kinds, `<group>/<kind>_<version>.json`: not part of this repository, but beside it. */
export const SCHEMAS = fileURLToPath(new URL("../../../shared/schemas", import.meta.url));

export const HAS_SCHEMAS = existsSync(SCHEMAS);

/** Floor: kinds as Kubernetes 1.32 knows them. */
const FLOOR = "_k8s-1.32";

const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
const compiled = new Map<string, ValidateFunction>();

/** What is wrong with an object by the schema of its kind, and by that of the oldest Kubernetes; one line each. */
export function findSchemaProblems({ apiVersion, kind, name, document }: Manifest): string[] {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  const file = `${group}/${kind.toLowerCase()}_${version}.json`;
  // A kind without a schema is misspelt, or its API is gone.
  if (!existsSync(join(SCHEMAS, file))) return [`${kind} ${name}: no schema ${file}`];
  const files = [file, join(FLOOR, file)].filter((path) => existsSync(join(SCHEMAS, path)));
  const problems = files.flatMap((path) => validate(path, document));
  const triggers = kind === "ScaledObject" ? pickList(document, "spec.triggers") : [];
  const ofTriggers = triggers.flatMap((trigger) =>
    validate("keda.sh/scaledobjecttrigger_v1alpha1.json", trigger),
  );
  return [...problems, ...ofTriggers].map((problem) => `${kind} ${name}: ${problem}`);
}

function validate(path: string, value: unknown): string[] {
  const known = compiled.get(path);
  const check = known ?? ajv.compile(JSON.parse(readFileSync(join(SCHEMAS, path), "utf8")));
  compiled.set(path, check);
  return check(value) ? [] : (check.errors ?? []).map(toText);
}

function toText({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message} ${JSON.stringify(params)}`;
}
