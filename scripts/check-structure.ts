import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path/posix";
import { fileURLToPath } from "node:url";

/**
 * Checks that imports only point inward: who may import whom (ARCHITECTURE.md has the table in words), that there are
 * no import cycles, types included, and that no file has grown past the size at which it must be redesigned.
 */

/** What a folder may import, beside itself. Paths are prefixes below `src/`. */
interface ImportRule {
  readonly folders: readonly string[];
  /** Packages and Node modules: all of them, none, or those listed. */
  readonly packages: "all" | readonly string[];
}

const DRIVER: ImportRule = {
  folders: ["core/ports/", "core/errors.ts", "core/models/manifest.ts"],
  packages: "all",
};

export const IMPORT_RULES: Readonly<Record<string, ImportRule>> = {
  "core/": { folders: [], packages: [] },
  "protocols/": { folders: ["core/", "generated/"], packages: ["@bufbuild/protobuf"] },
  "backends/": {
    ...DRIVER,
    // Clients of other servers read and write the same formats as the servers here (ADR 0014).
    folders: [
      ...DRIVER.folders,
      "generated/",
      "protocols/open-inference/",
      "protocols/tensorflow-serving/",
    ],
  },
  "tokenizers/": DRIVER,
  "stores/": {
    ...DRIVER,
    // What the ports of jobs, models, events and releases speak of.
    folders: [
      ...DRIVER.folders,
      "core/jobs/job.ts",
      "core/models/version-choices.ts",
      "core/events/cloud-event.ts",
      "core/releases/decision.ts",
      "core/releases/release-command.ts",
      "core/releases/release-phase.ts",
      "core/releases/release-plan.ts",
    ],
  },
  "telemetry/": DRIVER,
  "cluster/": DRIVER,
  "gateway/": { folders: ["protocols/", "core/", "generated/"], packages: "all" },
  "workers/": { folders: ["core/"], packages: "all" },
  "model-tools/": { folders: ["core/", "tokenizers/", "generated/"], packages: "all" },
  "config/": {
    folders: [],
    packages: ["typebox", "yaml", "node:fs", "node:path", "node:net", "node:module"],
  },
  "conformance/": { folders: ["core/"], packages: "all" },
  "generated/": { folders: [], packages: ["@bufbuild/protobuf"] },
  "cli/": {
    folders: [
      "compose/",
      "version.ts",
      "cluster/",
      "config/",
      "conformance/",
      "core/",
      "model-tools/",
      // Plans that commands read and write without a server.
      "protocols/native/",
      "protocols/release-manifests/",
    ],
    packages: "all",
  },
  "main.ts": { folders: ["cli/", "compose/", "config/"], packages: "all" },
  "compose/": { folders: [""], packages: "all" },
  "version.ts": { folders: [], packages: [] },
};

const MAX_LINES = 400;

/** A source file: its path below `src/` and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Everything that is wrong, one line each. Tests are free to import what they like and are not looked at. */
export function findStructureProblems(files: readonly SourceFile[]): string[] {
  const sources = files.filter((file) => !/\.test\.ts$/.test(file.path));
  return [
    ...sources.flatMap(findForbiddenImports),
    ...findCycles(sources),
    ...sources.filter(isTooLong).map((file) => `src/${file.path} has more than ${MAX_LINES} lines`),
  ];
}

function isTooLong(file: SourceFile): boolean {
  return !file.path.startsWith("generated/") && file.text.split("\n").length > MAX_LINES;
}

function findForbiddenImports(file: SourceFile): string[] {
  const zone = Object.keys(IMPORT_RULES).find((prefix) => file.path.startsWith(prefix));
  const rule = zone === undefined ? undefined : IMPORT_RULES[zone];
  if (zone === undefined || rule === undefined) {
    return [`src/${file.path} is in no folder that the import table knows`];
  }
  return importsOf(file)
    .filter((specifier) => !isAllowed(specifier, file.path, zone, rule))
    .map((specifier) => `src/${file.path} may not import ${specifier}`);
}

function isAllowed(specifier: string, from: string, zone: string, rule: ImportRule): boolean {
  if (specifier.startsWith(".")) {
    const target = resolve(from, specifier);
    if (target.startsWith("..")) return zone === "version.ts";
    return [zone, ...rule.folders].some((prefix) => target.startsWith(prefix));
  }
  if (rule.packages === "all") return true;
  return rule.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`));
}

/** Every import cycle once, as a path through its files. */
function findCycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(
    files.map((file) => [file.path, importsOf(file).map((to) => resolve(file.path, to))]),
  );
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push(`import cycle: ${[...trail.slice(start), path].join(" → ")}`);
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?:[^;'"]*?\sfrom\s)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;

function importsOf(file: SourceFile): string[] {
  return [...file.text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? "");
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith(".") ? join(dirname(from), specifier) : specifier;
}

/** All TypeScript files below `root`. */
export function readSources(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(root, path), text: readFileSync(path, "utf8") }));
}

if (import.meta.main) {
  const problems = findStructureProblems(
    readSources(fileURLToPath(new URL("../src", import.meta.url))),
  );
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
