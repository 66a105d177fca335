import { compareVersions } from "./version-number.ts";

/** Where the requests of one model go that name no version. */
export interface Route {
  readonly defaultVersion: string;
  /** Languages that the default version was not made for, and the versions that were. */
  readonly languageVersions: ReadonlyMap<string, string>;
}

/** Which version answers a request that names none. Immutable: a change makes a new table. */
export type RoutingTable = ReadonlyMap<string, Route>;

/** A version that may get traffic. */
export interface RoutableVersion {
  readonly model: string;
  readonly version: string;
  /** Empty when nobody says. */
  readonly languages: readonly string[];
}

/**
 * Builds the table from what is ready. Pure.
 *
 * @param ready versions that may get traffic
 * @param pinned model → version chosen by configuration; ignored while that version is not ready
 * @param byLanguage whether texts go to another version when the default one was not made for their language
 */
export function buildRoutingTable(
  ready: readonly RoutableVersion[],
  pinned: Readonly<Record<string, string>>,
  byLanguage: boolean,
): RoutingTable {
  const byModel = Map.groupBy(ready, ({ model }) => model);
  const table = new Map<string, Route>();
  for (const [model, versions] of byModel) {
    const newestFirst = versions.toSorted((a, b) => compareVersions(b.version, a.version));
    const chosen = newestFirst.find(({ version }) => version === pinned[model]) ?? newestFirst[0];
    if (chosen === undefined) continue;
    table.set(model, {
      defaultVersion: chosen.version,
      languageVersions: byLanguage ? findLanguageVersions(chosen, newestFirst) : new Map(),
    });
  }
  return table;
}

/** The newest version for each language that `chosen` lacks. One that states no languages is taken to know them all. */
function findLanguageVersions(
  chosen: RoutableVersion,
  newestFirst: readonly RoutableVersion[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (chosen.languages.length === 0) return found;
  for (const { version, languages } of newestFirst) {
    for (const language of languages) {
      if (chosen.languages.includes(language) || found.has(language)) continue;
      found.set(language, version);
    }
  }
  return found;
}
