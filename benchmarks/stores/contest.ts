/** A driver and its raw client, doing the same. */
export interface Contest {
  readonly store: string;
  readonly what: string;
  /** Operations that one call of `driver` or `raw` does. */
  readonly operations: number;
  readonly driver: () => Promise<unknown>;
  readonly raw: () => Promise<unknown>;
}

export interface Outcome {
  readonly store: string;
  readonly what: string;
  /** Operations per second, median of the rounds. */
  readonly driver: number;
  readonly raw: number;
  /** Driver over raw, median of the rounds' ratios. */
  readonly ratio: number;
  /** All rounds, in operations per second. */
  readonly rounds: readonly { readonly driver: number; readonly raw: number }[];
}

/** Lets both have turns, in changing order, after one turn each that does not count. */
export async function runContest(contest: Contest, rounds: number): Promise<Outcome> {
  const { operations, store, what } = contest;
  const measure = async (turn: () => Promise<unknown>) => {
    const startedMs = performance.now();
    await turn();
    return (operations / (performance.now() - startedMs)) * 1000;
  };
  await contest.driver();
  await contest.raw();
  const results: { driver: number; raw: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const driver = await measure(contest.driver);
      results.push({ driver, raw: await measure(contest.raw) });
    } else {
      const raw = await measure(contest.raw);
      results.push({ driver: await measure(contest.driver), raw });
    }
  }
  return {
    ...{ store, what },
    driver: middle(results.map(({ driver }) => driver)),
    raw: middle(results.map(({ raw }) => raw)),
    ratio: middle(results.map(({ driver, raw }) => driver / raw)),
    rounds: results,
  };
}

/** Calls `work` with 0 to `count` - 1, `atOnce` of them under way at a time. */
export async function repeat(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const loop = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
}

function middle(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
}
