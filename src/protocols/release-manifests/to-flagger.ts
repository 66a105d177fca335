import { SluiceError } from "../../core/errors.ts";
import type { ReleaseHook, ReleasePlan } from "../../core/releases/release-plan.ts";
import { hasHook, listStepWeights, mirrorShareOf } from "../../core/releases/release-plan.ts";
import { toFlaggerMetrics } from "./flagger-metrics.ts";
import type { ExportedPlan, Manifest, ReleaseTarget } from "./manifest.ts";
import { metadataOf } from "./manifest.ts";
import { toConditions } from "./to-conditions.ts";

/** Flagger takes shorter intervals for this one. */
const MIN_INTERVAL_S = 10;
const AFFINITY_COOKIE = "sluice-canary";

/**
 * A plan as a Canary with its MetricTemplates (flagger.app/v1beta1), for the provider `istio`. The candidate is there the next
 * revision of the Deployment.
 *
 * @throws SluiceError `invalid_argument` for a plan of which nothing would be left
 */
export function toFlagger(plan: ReleasePlan, target: ReleaseTarget): ExportedPlan {
  const intervalS = Math.max(MIN_INTERVAL_S, Math.ceil(plan.intervalMs / 1000));
  const interval = `${intervalS}s`;
  const traffic = toTraffic(plan);
  const { metrics, templates, losses } = toFlaggerMetrics(plan, target, interval);
  const canary: Manifest = {
    apiVersion: "flagger.app/v1beta1",
    kind: "Canary",
    metadata: metadataOf(target.name, target),
    spec: {
      provider: "istio",
      targetRef: { apiVersion: "apps/v1", kind: "Deployment", name: target.name },
      progressDeadlineSeconds: Math.ceil(plan.readyWithinMs / 1000),
      service: { port: target.port },
      analysis: {
        interval,
        threshold: plan.maxFailures,
        ...traffic.fields,
        metrics,
        ...(plan.hooks.length > 0 && { webhooks: plan.hooks.map(toWebhook) }),
      },
    },
  };
  const isRounded = intervalS * 1000 !== plan.intervalMs;
  return {
    objects: [canary, ...templates],
    losses: [
      ...(isRounded ? [`The interval of ${plan.intervalMs} ms became ${interval}.`] : []),
      ...traffic.losses,
      ...losses,
      ...listRuleLosses(plan),
    ],
  };
}

/** Part of `spec.analysis`, and what of the plan is not in it. */
interface Traffic {
  readonly fields: object;
  readonly losses: readonly string[];
}

function toTraffic(plan: ReleasePlan): Traffic {
  const { strategy } = plan;
  const mirror = toMirror(plan);
  if (strategy.kind === "canary") {
    const { fields, losses } = toSteps(plan);
    return {
      fields: { ...fields, ...mirror.fields, ...toAffinity(plan) },
      losses: [...losses, ...mirror.losses, ...listAffinityLosses(plan)],
    };
  }
  if (strategy.kind === "ab") {
    const match = toConditions(strategy.matches);
    if (match.length === 0) {
      const problem = "are all by key, which Flagger cannot see; add one by header or cookie";
      const details = [{ field: "strategy.matches", problem }];
      throw new SluiceError("invalid_argument", `strategy.matches ${problem}.`, { details });
    }
    const lost = strategy.matches.length - match.length;
    return {
      fields: { iterations: strategy.iterations, match },
      losses: lost === 0 ? [] : [`${lost} of the matches are by key, which Flagger cannot see.`],
    };
  }
  return { fields: { iterations: strategy.iterations, ...mirror.fields }, losses: mirror.losses };
}

function toSteps({ strategy }: ReleasePlan): Traffic {
  if (strategy.kind !== "canary") return { fields: {}, losses: [] };
  const { stepWeight, maxWeight } = strategy;
  const isWhole = Number.isInteger(stepWeight) && Number.isInteger(maxWeight ?? 100);
  if (stepWeight !== null && isWhole) {
    return { fields: { stepWeight, maxWeight: maxWeight ?? 100 }, losses: [] };
  }
  const weights = listStepWeights(strategy);
  // A step that is none would never end there.
  const whole = [...new Set(weights.map((weight) => Math.max(1, Math.round(weight))))];
  const isSame = whole.length === weights.length && whole.every((one, at) => one === weights[at]);
  const loss = `Weights are whole percents there: ${weights.join(", ")} became ${whole.join(", ")}.`;
  return { fields: { stepWeights: whole }, losses: isSame ? [] : [loss] };
}

function toMirror(plan: ReleasePlan): Traffic {
  const share = mirrorShareOf(plan);
  if (share === 0 || plan.strategy.kind === "ab") return { fields: {}, losses: [] };
  const mirrorWeight = Math.max(1, Math.round(share));
  const steps =
    plan.strategy.kind === "canary" ? " It mirrors in one step before the first weight only." : "";
  const rounded = mirrorWeight === share ? "" : ` ${share} % became ${mirrorWeight} %.`;
  return {
    fields: { mirror: true, mirrorWeight },
    losses: [`Flagger mirrors requests and does not look at the answers.${steps}${rounded}`],
  };
}

function toAffinity({ stickyBy }: ReleasePlan): object {
  return stickyBy.kind === "request" ? {} : { sessionAffinity: { cookieName: AFFINITY_COOKIE } };
}

function listAffinityLosses({ stickyBy }: ReleasePlan): readonly string[] {
  if (stickyBy.kind === "request") return [];
  const by = stickyBy.kind === "key" ? "API key" : `header ${stickyBy.header}`;
  const cookie = `the cookie ${AFFINITY_COOKIE}`;
  return [`Callers keep their version by ${cookie}, if they keep cookies, not by their ${by}.`];
}

function toWebhook({ name, type, url, timeoutMs, retries }: ReleaseHook): object {
  return { name, type, url, timeout: `${Math.ceil(timeoutMs / 1000)}s`, retries };
}

function listRuleLosses(plan: ReleasePlan): readonly string[] {
  const losses = [
    `A check has two outcomes there: a window without answers, which is inconclusive here (max_inconclusive ${plan.maxInconclusive}, min_samples ${plan.minSamples}), counts as a failed check.`,
    `Looking often is not accounted for there (false_alarm_rate ${plan.falseAlarmRate}).`,
  ];
  if (plan.maxConsecutiveFailures < plan.maxFailures) {
    const count = `max_consecutive_failures ${plan.maxConsecutiveFailures}`;
    losses.push(`Failed checks in a row are not counted there, only all of a run (${count}).`);
  }
  if (plan.replay.kind === "sample") {
    losses.push("Kept texts are not replayed there in quiet hours (replay).");
  }
  const isHeld = hasHook(plan, "confirm-promotion");
  if ((plan.promotion === "manual" || plan.strategy.kind === "shadow") && !isHeld) {
    losses.push("Flagger promotes by itself after the last step; add a confirm-promotion hook.");
  }
  if (plan.hooks.length > 0) {
    losses.push("Hooks are not signed there, and answers above 202 count as refusals.");
  }
  return losses;
}
