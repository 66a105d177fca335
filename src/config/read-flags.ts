import type { Assignment, Layer } from "./assignment.ts";
import { createUnknownProblem } from "./assignment.ts";
import type { ConfigProblem, ConfigSource } from "./config-error.ts";
import { ConfigError } from "./config-error.ts";
import { SETTINGS, toFlagName } from "./setting-list.ts";

/** Flag values by name, without the leading hyphens: `{ "server.port": "9000" }`. */
export type Flags = Readonly<Record<string, string>>;

/** The flag that names the configuration file rather than a setting. */
export const FILE_FLAG = "config";

/**
 * Reads `--server.port 9000`, `--server.port=9000` and, for settings that are true or false, `--name` alone.
 *
 * @throws ConfigError for words that are no flag and for flags without a value.
 */
export function parseFlags(words: readonly string[]): Flags {
  const flags: Record<string, string> = {};
  const problems: ConfigProblem[] = [];
  for (let index = 0; index < words.length; index++) {
    const match = /^--([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(words[index] ?? "");
    const name = match?.[1];
    if (name === undefined) {
      problems.push(
        createFlagProblem(
          words[index] ?? "",
          "a flag like --server.port",
          JSON.stringify(words[index]),
        ),
      );
      continue;
    }
    const next = words[index + 1];
    if (match?.[2] !== undefined) {
      flags[name] = match[2];
    } else if (next !== undefined && !next.startsWith("--")) {
      flags[name] = next;
      index++;
    } else if (isSwitch(name)) {
      flags[name] = "true";
    } else {
      problems.push(createFlagProblem(`--${name}`, "a value after the flag", "nothing"));
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return flags;
}

/** What the command line says. Names are accepted as `server.maxBodyBytes` and `server.max-body-bytes`. */
export function readFlags(flags: Flags): Layer {
  const assignments: Assignment[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, value] of Object.entries(flags)) {
    const path = toPath(name);
    if (path === FILE_FLAG) continue;
    const source: ConfigSource = { kind: "flag", name: `--${name.replace(/^--/, "")}` };
    if (SETTINGS.some((setting) => setting.path === path)) {
      assignments.push({ path, value, isText: true, source });
    } else {
      problems.push(createUnknownProblem(path, source, toFlagName));
    }
  }
  return { assignments, problems };
}

function isSwitch(name: string): boolean {
  const path = toPath(name);
  return SETTINGS.some((setting) => setting.path === path && setting.schema.type === "boolean");
}

function toPath(name: string): string {
  return name
    .replace(/^--/, "")
    .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function createFlagProblem(name: string, expected: string, found: string): ConfigProblem {
  return { path: "", source: { kind: "flag", name }, expected, found };
}
