import type { ClosedFigures } from "../ngram/closed-rounds.ts";
import { runClosedRounds } from "../ngram/closed-rounds.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { startSluice, startSluiceWithoutInference } from "../servers/server-process.ts";
import type { ListedModel } from "../servers/shipped-models.ts";
import { listClassifiers, toVersionFlags } from "../servers/shipped-models.ts";
import type { BenchContext } from "./bench-context.ts";
import { NO_CACHE } from "./bench-context.ts";

/** The n-gram model that ships beside the same server whose models cost nothing, in turns. */
export interface GatewayFigures {
  readonly corpus: string;
  readonly withoutInference: ClosedFigures;
  readonly withModel: ClosedFigures;
}

const CONNECTIONS = 64;

/** What the server says of a model of n-grams: only such models have a kernel of their own. */
const NGRAM_BACKEND = /typescript kernel/;

/** One process each, no cache. */
export async function measureGateway(context: BenchContext): Promise<GatewayFigures[]> {
  const { client, plan, modelsDirectory, say } = context;
  const servers: ServerProcess[] = [];
  try {
    const flags = toVersionFlags(await findNgramModel(modelsDirectory));
    const options = { modelsDirectory, flags: [...NO_CACHE, ...flags] };
    const free = await startSluiceWithoutInference(options);
    servers.push(free);
    const real = await startSluice(options);
    servers.push(real);
    const targets = [
      { name: "without inference", server: free },
      { name: "n-gram model", server: real },
    ];
    const figures: GatewayFigures[] = [];
    for (const { name } of context.corpora) {
      say(`n-gram model beside a server without inference, ${name} texts`);
      const [withoutInference, withModel] = await runClosedRounds({
        client,
        targets,
        bodies: name,
        connections: CONNECTIONS,
        rounds: plan.rounds,
        roundMs: plan.roundMs,
        warmUpMs: plan.warmUpMs,
      });
      if (withoutInference !== undefined && withModel !== undefined) {
        for (const one of [withoutInference, withModel]) assertAllAnswered(one);
        figures.push({ corpus: name, withoutInference, withModel });
      }
    }
    return figures;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function findNgramModel(modelsDirectory: string): Promise<ListedModel> {
  const server = await startSluice({ modelsDirectory });
  try {
    const listed = await listClassifiers(server);
    const found = listed.find(({ backend }) => NGRAM_BACKEND.test(backend ?? ""));
    if (found === undefined) throw new Error(`${modelsDirectory} has no model of n-grams.`);
    return found;
  } finally {
    await server.stop();
  }
}

/** A rate that refusals are part of says nothing about a model. */
function assertAllAnswered({ target, statuses, failedRequests }: ClosedFigures): void {
  const refused = Object.keys(statuses).some((status) => status !== "200");
  if (!refused && failedRequests === 0) return;
  throw new Error(
    `${target}: ${JSON.stringify(statuses)}, ${failedRequests} failed; every request must succeed here`,
  );
}
