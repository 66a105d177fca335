import { compareVersions } from "./version-number.ts";

/** Which version answers a request that names none. Immutable: a change makes a new table. */
export type RoutingTable = ReadonlyMap<string, { readonly defaultVersion: string }>;

/**
 * Builds the table from what is ready. Pure.
 *
 * @param ready versions that may get traffic
 * @param pinned model → version chosen by configuration; ignored while that version is not ready
 */
export function buildRoutingTable(
  ready: readonly { readonly model: string; readonly version: string }[],
  pinned: Readonly<Record<string, string>>,
): RoutingTable {
  const table = new Map<string, { defaultVersion: string }>();
  for (const { model, version } of ready) {
    const current = table.get(model)?.defaultVersion;
    if (current === undefined || isPreferred(version, current, pinned[model])) {
      table.set(model, { defaultVersion: version });
    }
  }
  return table;
}

function isPreferred(version: string, current: string, pinned: string | undefined): boolean {
  if (current === pinned) return false;
  return version === pinned || compareVersions(version, current) > 0;
}
