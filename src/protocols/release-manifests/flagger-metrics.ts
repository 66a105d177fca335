import { FAULTS } from "../../core/releases/observation.ts";
import type { ReleaseMetric } from "../../core/releases/release-metric.ts";
import type { ReleasePlan } from "../../core/releases/release-plan.ts";
import type { Manifest, ReleaseTarget } from "./manifest.ts";
import { metadataOf } from "./manifest.ts";

/** An entry of `spec.analysis.metrics` of a Canary. */
export interface CanaryMetric {
  readonly name: string;
  readonly interval: string;
  readonly thresholdRange: { readonly min?: number; readonly max?: number };
  readonly templateRef: { readonly name: string; readonly namespace: string };
  readonly templateVariables?: Readonly<Record<string, string>>;
}

export interface FlaggerMetrics {
  readonly metrics: readonly CanaryMetric[];
  readonly templates: readonly Manifest[];
  readonly losses: readonly string[];
}

/** A number that a query gives, with what it may be. */
interface Question {
  readonly template: string;
  readonly query: string;
  readonly range: CanaryMetric["thresholdRange"];
}

const OF_VERSION = 'model_version="{{ variables.model_version }}"';
const WINDOW = "[{{ interval }}]";
/** Ratios are percent there. */
const PERCENT = 100;

/**
 * What a release is judged by, as queries over the metrics that every server has at `/metrics`. `model_version` tells the
 * candidate from stable, whatever pods are called.
 *
 * @param interval of the checks, as Flagger writes it
 */
export function toFlaggerMetrics(
  plan: ReleasePlan,
  target: ReleaseTarget,
  interval: string,
): FlaggerMetrics {
  const metrics: CanaryMetric[] = [];
  const templates = new Map<string, Manifest>();
  const losses: string[] = [];
  for (const metric of plan.metrics) {
    losses.push(...listLosses(metric));
    const question = metric.isDecisive ? toQuestion(metric) : undefined;
    if (question === undefined) continue;
    const { query, range } = question;
    const template = findName(question, templates);
    templates.set(template, toTemplate(template, query, target));
    metrics.push({
      ...{ name: metric.name, interval, thresholdRange: range },
      templateRef: { name: template, namespace: target.namespace },
      ...(metric.kind !== "query" && {
        templateVariables: { model_version: `${plan.model}:${plan.candidate}` },
      }),
    });
  }
  return { metrics, templates: [...templates.values()], losses };
}

/** Metrics with the same question share a template; names of others may be the same once they are names of objects. */
function findName({ template, query }: Question, templates: ReadonlyMap<string, Manifest>): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? template : `${template}-${number}`;
    const known = templates.get(name)?.spec as { readonly query?: string } | undefined;
    if (known === undefined || known.query === query) return name;
  }
}

/** @returns undefined for what no query can tell, or nothing bounds */
function toQuestion(metric: ReleaseMetric): Question | undefined {
  switch (metric.kind) {
    case "success_rate":
      return metric.minRatio === null
        ? undefined
        : {
            template: "sluice-success-rate",
            query: successQuery(),
            range: { min: round(metric.minRatio * PERCENT) },
          };
    case "latency":
      return metric.maxMs === null
        ? undefined
        : {
            template: `sluice-latency-p${String(round(metric.quantile * PERCENT)).replace(".", "-")}`,
            query: latencyQuery(metric.quantile),
            range: { max: metric.maxMs },
          };
    case "feedback_accuracy":
      return metric.minRatio === null
        ? undefined
        : {
            template: "sluice-feedback",
            query: feedbackQuery(),
            range: { min: round(metric.minRatio * PERCENT) },
          };
    case "query":
      return {
        template: `sluice-query-${toObjectName(metric.name)}`,
        // Braces of PromQL would be taken for those of a template.
        query: metric.query.replaceAll("{{", "{ {"),
        range: {
          ...(metric.min !== null && { min: metric.min }),
          ...(metric.max !== null && { max: metric.max }),
        },
      };
    default:
      return undefined;
  }
}

function successQuery(): string {
  const good = `sum(rate(ai_model_predictions_total{${OF_VERSION}}${WINDOW}))`;
  const bad = `sum(rate(ai_model_failures_total{${OF_VERSION},code=~"${FAULTS.join("|")}"}${WINDOW}))`;
  return `100 * ${good} / (${good} + (${bad} or vector(0)))`;
}

function latencyQuery(quantile: number): string {
  const buckets = `ai_model_prediction_duration_seconds_bucket{${OF_VERSION}}${WINDOW}`;
  return `1000 * histogram_quantile(${quantile}, sum by (le) (rate(${buckets})))`;
}

function feedbackQuery(): string {
  const of = (more: string) =>
    `sum(increase(ai_model_feedback_total{model="{{ variables.model_version }}"${more}}${WINDOW}))`;
  return `100 * ${of(',outcome="right"')} / ${of("")}`;
}

function toTemplate(name: string, query: string, target: ReleaseTarget): Manifest {
  return {
    apiVersion: "flagger.app/v1beta1",
    kind: "MetricTemplate",
    metadata: metadataOf(name, target),
    spec: { provider: { type: "prometheus", address: target.prometheus }, query },
  };
}

const ONLY_HERE: Partial<Record<ReleaseMetric["kind"], string>> = {
  label_disagreement: "asks both versions the same texts",
  output_disagreement: "asks both versions the same",
  stability_index: "compares distributions of scores",
  score_distance: "compares distributions of scores",
  confidence_drop: "compares confidences",
  gate_accuracy: "asks a set of labelled texts",
};

function listLosses(metric: ReleaseMetric): readonly string[] {
  const { name, kind, isDecisive } = metric;
  const needs = ONLY_HERE[kind];
  if (needs !== undefined) {
    return [`Metric ${name} is left out: it ${needs}, which Flagger does not do.`];
  }
  const losses: string[] = [];
  if (!isDecisive) {
    losses.push(`Metric ${name} is left out: in Flagger every metric decides.`);
    return losses;
  }
  if ("maxDrop" in metric && metric.maxDrop !== null) {
    losses.push(`Metric ${name} is not compared with stable (max_drop ${metric.maxDrop}).`);
  }
  if (metric.kind === "latency" && metric.maxTimesStable !== null) {
    const times = `max_times_stable ${metric.maxTimesStable}`;
    losses.push(`Metric ${name} is not compared with stable (${times}).`);
  }
  if (toQuestion(metric) === undefined) {
    losses.push(`Metric ${name} is left out: without the comparison, nothing bounds it.`);
  }
  return losses;
}

/** Lower-case letters, digits and hyphens, as names of objects are. */
function toObjectName(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return plain.replaceAll(/^-+|-+$/g, "").slice(0, 40) || "metric";
}

/** 0.07 times 100 is not 7 in floating point. */
function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
