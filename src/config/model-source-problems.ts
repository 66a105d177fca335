import type { ConfigProblem, ConfigSource } from "./config-error.ts";
import { isLoopbackHost } from "./loopback-host.ts";
import type { Config } from "./schema.ts";

/** What is wrong with sources of models though each of their settings is fine alone. */
export function findModelSourceProblems(
  { models }: Config,
  sourceOf: (path: string) => ConfigSource,
): readonly ConfigProblem[] {
  return [
    ...findArchiveProblems(models.archives, sourceOf("models.archives")),
    ...findBucketProblems(models.buckets, sourceOf("models.buckets")),
  ];
}

function findArchiveProblems(
  archives: Config["models"]["archives"],
  source: ConfigSource,
): readonly ConfigProblem[] {
  return archives.flatMap(({ name, version, url, sha256 }, index) => {
    const path = `models.archives[${index}]`;
    if (!URL.canParse(url)) {
      return [
        { path: `${path}.url`, source, expected: "an address of the web", found: "another text" },
      ];
    }
    const { protocol, hostname } = new URL(url);
    const problems: ConfigProblem[] = [];
    if (protocol === "http:" && sha256 === undefined && !isLoopbackHost(hostname)) {
      const expected =
        "the archive's SHA-256, because over http:// anybody on the way can change it";
      const advice = "Use https://, or add sha256.";
      problems.push({ path: `${path}.sha256`, source, expected, found: "none", advice });
    }
    const earlier = archives.slice(0, index);
    if (earlier.some((one) => one.name === name && one.version === version)) {
      const found = `${name} ${version} a second time`;
      problems.push({ path, source, expected: "another model or version", found });
    }
    return problems;
  });
}

function findBucketProblems(
  buckets: Config["models"]["buckets"],
  source: ConfigSource,
): readonly ConfigProblem[] {
  return buckets.flatMap(({ endpoint, accessKeyId, secretAccessKey, sessionToken }, index) => {
    const path = `models.buckets[${index}]`;
    const problems: ConfigProblem[] = [];
    if (endpoint !== undefined && !URL.canParse(endpoint)) {
      const expected = "an address of the web";
      problems.push({ path: `${path}.endpoint`, source, expected, found: "another text" });
    }
    const keys = { accessKeyId, secretAccessKey };
    const isPartial = (accessKeyId === undefined) !== (secretAccessKey === undefined);
    const isLonelyToken = sessionToken !== undefined && accessKeyId === undefined;
    for (const [key, value] of Object.entries(keys)) {
      if (value !== undefined || !(isPartial || isLonelyToken)) continue;
      const expected = "both accessKeyId and secretAccessKey, or neither of the keys";
      problems.push({ path: `${path}.${key}`, source, expected, found: "none" });
    }
    return problems;
  });
}
