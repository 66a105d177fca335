import type { LoadedConfig } from "../config/load.ts";
import { loadConfig } from "../config/load.ts";
import { parseFlags } from "../config/read-flags.ts";

/** Reads the configuration as every command does: file, environment, then the flags among `words`. */
export function loadSettings(words: readonly string[]): LoadedConfig {
  return loadConfig({ env: process.env, flags: parseFlags(words) });
}
