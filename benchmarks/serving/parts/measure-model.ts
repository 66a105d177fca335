import type { Precision } from "../models/build-seeded-packages.ts";
import { PRECISIONS } from "../models/build-seeded-packages.ts";
import type { OpenPackage } from "../models/open-package.ts";
import { openPackage } from "../models/open-package.ts";
import type { BatchIndependence } from "../raw/batch-independence.ts";
import { checkBatchIndependence } from "../raw/batch-independence.ts";
import type { PolicyComparison } from "../raw/policy-comparison.ts";
import { comparePolicies } from "../raw/policy-comparison.ts";
import { sampleByLength } from "../raw/sample-by-length.ts";
import type { BenchContext } from "./bench-context.ts";

/** What is asked of the model without any server. */
export interface ModelFigures {
  readonly policies: readonly PolicyComparison[];
  /** What the server's measurement of the INT8 model came to, on which its batches depend. */
  readonly cost: { readonly fixedMs: number; readonly perTokenMs: number };
  readonly independence: Readonly<Record<Precision, BatchIndependence>>;
}

/** Compares batch policies in INT8, and looks in both precisions whether batches change answers. */
export async function measureModel(context: BenchContext): Promise<ModelFigures> {
  const { say, plan, cores, corpora } = context;
  say("int8: batch policies");
  const compared = await withPackage(context, "int8", async (open) => ({
    cost: open.backend.cost,
    policies: await comparePolicies(
      open,
      cores,
      corpora.map(({ name, encoded }) => ({ name, texts: encoded })),
      { texts: plan.policyTexts, repeats: plan.repeats },
    ),
  }));
  const independence: Partial<Record<Precision, BatchIndependence>> = {};
  for (const precision of PRECISIONS) {
    say(`${precision}: the same text alone and in batches`);
    independence[precision] = await withPackage(context, precision, ({ backend }) => {
      const each = plan.independenceTexts / corpora.length;
      const texts = corpora.flatMap(({ encoded }) => sampleByLength(encoded, each));
      return checkBatchIndependence(backend, texts);
    });
  }
  return { ...compared, independence: independence as ModelFigures["independence"] };
}

async function withPackage<Result>(
  { packages, flags }: BenchContext,
  precision: Precision,
  work: (open: OpenPackage) => Promise<Result>,
): Promise<Result> {
  const open = await openPackage(packages[precision].folder, flags);
  try {
    return await work(open);
  } finally {
    await open.close();
  }
}
