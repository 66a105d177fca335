import { toSluiceError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { DiscoveredPackage, ModelSource } from "../ports/model-source.ts";

/** Several sources that are used as one, each of which can be followed by itself. */
export interface SourceSet {
  /** All of them, without those packages that an earlier one has too. */
  readonly joined: ModelSource;
  /** Each by itself, without packages that belong to another one. */
  readonly members: readonly ModelSource[];
}

/**
 * Joins sources. A version belongs to the source that had it first, and for as long as that one has it; of several at once, to
 * the one that stands first.
 */
export function joinSources(sources: readonly ModelSource[], logger: Logger): SourceSet {
  const owners = new Map<string, ModelSource>();
  const warned = new Set<string>();
  const claim = (source: ModelSource, packages: readonly DiscoveredPackage[]) => {
    const there = new Set(packages.map(toKey));
    for (const [key, owner] of owners) {
      if (owner === source && !there.has(key)) owners.delete(key);
    }
    return packages.filter((found) => {
      const key = toKey(found);
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, source);
      else if (owner !== source) {
        if (!warned.has(key)) warnOfSecond(found, source, owner, logger);
        warned.add(key);
        return false;
      }
      return true;
    });
  };
  const list = async (source: ModelSource) => claim(source, await source.list());
  const listOrKept = async (source: ModelSource) => {
    try {
      return await list(source);
    } catch (thrown) {
      if (source.listKept === undefined) throw thrown;
      const { message: reason } = toSluiceError(thrown);
      const fields = { source: source.description, reason };
      logger.warn("A source of models cannot be read; what was fetched before is used.", fields);
      return claim(source, await source.listKept());
    }
  };
  const tidied = new Set<ModelSource>();
  const members = sources.map((source) => ({ ...source, list: () => list(source) }));
  return {
    members,
    joined: {
      description: sources.map(({ description }) => description).join("; "),
      list: async () => {
        const found: DiscoveredPackage[] = [];
        for (const source of sources) {
          found.push(...(await listOrKept(source)));
          // Nothing of it serves before it was listed for the first time.
          if (!tidied.has(source)) await source.tidy?.();
          tidied.add(source);
        }
        return found;
      },
      close: () => {
        for (const source of sources) source.close?.();
      },
    },
  };
}

function warnOfSecond(
  { model, version }: DiscoveredPackage,
  source: ModelSource,
  owner: ModelSource,
  logger: Logger,
): void {
  logger.warn("Two sources have the same version; the first one's is served.", {
    ...{ model, version },
    served: owner.description,
    passedOver: source.description,
  });
}

function toKey({ model, version }: DiscoveredPackage): string {
  return `${model}\n${version}`;
}
