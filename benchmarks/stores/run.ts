import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Contest, Outcome } from "./contest.ts";
import { runContest } from "./contest.ts";
import { createJetStreamContests } from "./queues.ts";
import { createPostgresContests, createSqliteContests } from "./records.ts";
import { createRedisContests } from "./redis.ts";
import { createPgvectorContests, createSqliteVectorContests } from "./vectors.ts";

// What every store's driver does a second, beside its raw client in the same run. Needs redis-server, PostgreSQL and
// nats-server. Run: node benchmarks/stores/run.ts [--rounds 7] [--only redis] [--output benchmarks/results/NAME.md]

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    only: { type: "string" },
    output: { type: "string" },
  },
});

const folder = await mkdtemp(join(tmpdir(), "sluice-bench-stores-"));

interface Part {
  readonly contests: readonly Contest[];
  readonly close: () => Promise<void>;
}

const PARTS: Readonly<Record<string, () => Promise<Part>>> = {
  sqlite: () => createSqliteContests(folder),
  postgres: createPostgresContests,
  redis: createRedisContests,
  jetstream: createJetStreamContests,
  "sqlite-vec": () => createSqliteVectorContests(folder),
  pgvector: createPgvectorContests,
};

const outcomes: Outcome[] = [];
for (const [name, open] of Object.entries(PARTS)) {
  if (values.only !== undefined && values.only !== name) continue;
  const part = await open();
  for (const contest of part.contests) {
    const outcome = await runContest(contest, Number(values.rounds));
    outcomes.push(outcome);
    console.log(toLine(outcome));
  }
  await part.close();
}
await rm(folder, { recursive: true, force: true });
if (values.output !== undefined) await writeFile(values.output, toPage(outcomes));

function toLine({ store, what, driver, raw, ratio }: Outcome): string {
  const rates = `${toRate(driver)} | ${toRate(raw)} | ${ratio.toFixed(2)}`;
  return `| ${store} | ${what} | ${rates} |`;
}

function toRate(perSecond: number): string {
  return perSecond >= 100 ? Math.round(perSecond).toLocaleString("en") : perSecond.toFixed(1);
}

function toPage(list: readonly Outcome[]): string {
  const [cpu] = cpus();
  const rounds = list.map(
    ({ store, what, rounds: all }) =>
      `- ${store}, ${what}: ${all.map(({ driver, raw }) => `${toRate(driver)}/${toRate(raw)}`).join(", ")}`,
  );
  return `# Stores beside their raw clients

Operations a second, medians of ${values.rounds} rounds in which driver and raw client took turns; the ratio is the median of the rounds' ratios.
${cpu?.model ?? "unknown processor"}, ${cpus().length} processors shared with the servers; Node ${process.versions.node}.

| store | what | driver | raw client | ratio |
| --- | --- | ---: | ---: | ---: |
${list.map(toLine).join("\n")}

All rounds, driver/raw client:

${rounds.join("\n")}
`;
}
