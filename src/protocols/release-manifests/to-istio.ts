import { SluiceError } from "../../core/errors.ts";
import type { ReleasePlan } from "../../core/releases/release-plan.ts";
import { listStepWeights, mirrorShareOf } from "../../core/releases/release-plan.ts";
import type { ExportedPlan, Manifest, ReleaseTarget } from "./manifest.ts";
import { metadataOf } from "./manifest.ts";
import { toConditions } from "./to-conditions.ts";

/** What a plan alone does not say. */
export interface IstioMoment {
  /** Version that answers now. */
  readonly stable: string;
  /** Percent that the candidate has; null = that of the first step. */
  readonly weight: number | null;
}

const API_VERSION = "networking.istio.io/v1";
/** Label of pods by which versions are told apart; Istio's own convention. */
const VERSION_LABEL = "version";

/**
 * One moment of a release as a VirtualService and a DestinationRule (networking.istio.io/v1): pods of both versions behind one
 * Service, told apart by the label `version`.
 *
 * @throws SluiceError `invalid_argument` for a plan of which nothing would be left
 */
export function toIstio(
  plan: ReleasePlan,
  target: ReleaseTarget,
  { stable, weight }: IstioMoment,
): ExportedPlan {
  const host = `${target.name}.${target.namespace}.svc.cluster.local`;
  const destinationOf = (subset: string) => ({
    destination: { host, subset, port: { number: target.port } },
  });
  const wanted = weight ?? listStepWeights(plan.strategy)[0] ?? 0;
  const whole = Math.round(wanted);
  const share = mirrorShareOf(plan);
  const mirrors =
    share === 0 || whole === 100
      ? {}
      : { mirrors: [{ ...destinationOf("candidate"), percentage: { value: share } }] };
  const usual = {
    route: [
      { ...destinationOf("stable"), weight: 100 - whole },
      { ...destinationOf("candidate"), weight: whole },
    ],
    ...mirrors,
  };
  const chosen = toChosen(plan, { route: [destinationOf("candidate")] });
  const service: Manifest = {
    apiVersion: API_VERSION,
    kind: "VirtualService",
    metadata: metadataOf(target.name, target),
    spec: { hosts: [host], http: [...chosen, usual] },
  };
  const rule: Manifest = {
    apiVersion: API_VERSION,
    kind: "DestinationRule",
    metadata: metadataOf(target.name, target),
    spec: {
      host,
      subsets: [
        { name: "stable", labels: { [VERSION_LABEL]: stable } },
        { name: "candidate", labels: { [VERSION_LABEL]: plan.candidate } },
      ],
    },
  };
  return { objects: [service, rule], losses: listLosses(plan, wanted, whole, share) };
}

/** @param route where requests that match go */
function toChosen({ strategy }: ReleasePlan, route: object): readonly object[] {
  if (strategy.kind !== "ab") return [];
  const match = toConditions(strategy.matches);
  if (match.length > 0) return [{ match, ...route }];
  const problem = "are all by key, which Istio cannot see; add one by header or cookie";
  const details = [{ field: "strategy.matches", problem }];
  throw new SluiceError("invalid_argument", `strategy.matches ${problem}.`, { details });
}

function listLosses(
  plan: ReleasePlan,
  wanted: number,
  whole: number,
  share: number,
): readonly string[] {
  const { strategy, stickyBy } = plan;
  const losses = [
    "Istio routes and does not judge: metrics, limits, hooks and replay of the plan are left out, and nothing goes on or back by itself.",
    `Pods need the label ${VERSION_LABEL} with their model's version.`,
  ];
  if (strategy.kind === "canary") {
    const steps = listStepWeights(strategy).join(", ");
    losses.push(
      `These objects are one step, ${whole} %, of ${steps}; write them anew for the next.`,
    );
  }
  if (whole !== wanted) losses.push(`Weights are whole percents there: ${wanted} became ${whole}.`);
  if (share > 0) losses.push("Istio mirrors requests and does not look at the answers.");
  if (stickyBy.kind !== "request" && strategy.kind === "canary") {
    losses.push("Weights are drawn for each request there: callers do not keep their version.");
  }
  if (strategy.kind === "ab") {
    const lost = strategy.matches.length - toConditions(strategy.matches).length;
    if (lost > 0) losses.push(`${lost} of the matches are by key, which Istio cannot see.`);
  }
  return losses;
}
