import type { ClosedFigures } from "../ngram/closed-rounds.ts";
import { runClosedRounds } from "../ngram/closed-rounds.ts";
import type { ServerProcess } from "../servers/server-process.ts";
import { startSluice, startSluiceWithoutInference } from "../servers/server-process.ts";
import type { BenchContext } from "./bench-context.ts";
import { NO_CACHE } from "./bench-context.ts";

/** The n-gram model that ships beside the same server whose models cost nothing, in turns. */
export interface GatewayFigures {
  readonly corpus: string;
  readonly withoutInference: ClosedFigures;
  readonly withModel: ClosedFigures;
}

const CONNECTIONS = 64;

/** One process each, no cache. */
export async function measureGateway(context: BenchContext): Promise<GatewayFigures[]> {
  const { client, plan, modelsDirectory, say } = context;
  const servers: ServerProcess[] = [];
  try {
    const options = { modelsDirectory, flags: NO_CACHE };
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
        figures.push({ corpus: name, withoutInference, withModel });
      }
    }
    return figures;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
