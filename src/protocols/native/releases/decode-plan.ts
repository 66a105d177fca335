import { findPlanProblems } from "../../../core/releases/check-plan.ts";
import type { ReleaseMetric } from "../../../core/releases/release-metric.ts";
import { METRIC_KINDS } from "../../../core/releases/release-metric.ts";
import type {
  ReleaseHook,
  ReleasePlan,
  ReleaseStrategy,
  ReplayRule,
  StickyBy,
  TrafficMatch,
} from "../../../core/releases/release-plan.ts";
import {
  createPlan,
  DEFAULT_STRATEGY,
  STRATEGY_KINDS,
} from "../../../core/releases/release-plan.ts";
import { FieldReader, nameOf } from "../field-reader.ts";
import {
  HOOK_SHAPE,
  MATCH_SHAPE,
  METRIC_SHAPE,
  METRIC_SHAPES,
  STRATEGY_SHAPES,
} from "./plan-shapes.ts";
import { readList, readObject, readShape, toWireName } from "./read-shape.ts";

/** What is read by itself, beside the plain fields. */
const PARTS = ["strategy", "sticky_by", "metrics", "hooks", "replay", "gate_set"] as const;

/**
 * Reads the parsed body of `POST /v1/releases`: `model` and `candidate`, and whatever else is to differ from `createPlan`. Names
 * are those of `ReleasePlan` in `snake_case`.
 *
 * @param hasLabels whether a model gives labels; decides which metrics it is judged by unless the body says
 * @throws SluiceError `invalid_argument` with one detail per wrong field, also for a plan that cannot work
 */
export function decodePlan(body: unknown, hasLabels: (model: string) => boolean): ReleasePlan {
  const read = new FieldReader(body);
  const { fields } = read;
  const strategy = readStrategy(read, fields["strategy"]);
  const model = typeof fields["model"] === "string" ? fields["model"] : "";
  const defaults = createPlan({
    ...{ model, candidate: "", strategy },
    hasLabels: hasLabels(model),
    gateSet: read.optionalText("gate_set", fields["gate_set"]) ?? null,
  });
  const plan = { ...defaults, ...readPlain(read, defaults), ...readParts(read, defaults) };
  read.assertNoProblems();
  for (const { field, problem } of findPlanProblems(plan)) {
    read.report(toWireName(field), toWireName(problem));
  }
  read.assertNoProblems();
  return plan;
}

function readPlain(read: FieldReader, defaults: ReleasePlan): Partial<ReleasePlan> {
  const numbers = {
    intervalMs: { is: "number", otherwise: defaults.intervalMs },
    readyWithinMs: { is: "number", otherwise: defaults.readyWithinMs },
    maxFailures: { is: "number", otherwise: defaults.maxFailures },
    maxConsecutiveFailures: { is: "number", otherwise: defaults.maxConsecutiveFailures },
    maxInconclusive: { is: "number", otherwise: defaults.maxInconclusive },
    minSamples: { is: "number", otherwise: defaults.minSamples },
    falseAlarmRate: { is: "number", otherwise: defaults.falseAlarmRate },
    mirrorShare: { is: "number", otherwise: defaults.mirrorShare },
  } as const;
  const texts = {
    model: { is: "text" },
    candidate: { is: "text" },
    promotion: { is: "text", otherwise: defaults.promotion },
  } as const;
  return readShape(read, "", read.fields, { ...texts, ...numbers }, PARTS) as Partial<ReleasePlan>;
}

function readParts(read: FieldReader, defaults: ReleasePlan): Partial<ReleasePlan> {
  const { sticky_by: stickyBy, metrics, hooks, replay } = read.fields;
  return {
    ...(stickyBy !== undefined && { stickyBy: readStickyBy(read, stickyBy) }),
    ...(metrics !== undefined && { metrics: readList(read, "metrics", metrics, toMetric(read)) }),
    ...(hooks !== undefined && {
      hooks: readList(
        read,
        "hooks",
        hooks,
        (entry, path) => readShape(read, `${path}.`, entry, HOOK_SHAPE) as unknown as ReleaseHook,
      ),
    }),
    ...(replay !== undefined && { replay: readReplay(read, replay, defaults.replay) }),
  };
}

function readStrategy(read: FieldReader, value: unknown): ReleaseStrategy {
  if (value === undefined) return DEFAULT_STRATEGY;
  const object = readObject(read, "strategy", value);
  const kind = STRATEGY_KINDS.find((known) => known === object?.["kind"]);
  if (object === undefined) return DEFAULT_STRATEGY;
  if (kind === undefined) {
    const found = nameOf(object["kind"]);
    read.report("strategy.kind", `must be one of ${STRATEGY_KINDS.join(", ")}; found ${found}`);
    return DEFAULT_STRATEGY;
  }
  const others = kind === "ab" ? ["kind", "matches"] : ["kind"];
  const fields = readShape(read, "strategy.", object, STRATEGY_SHAPES[kind], others);
  const matches = kind === "ab" ? { matches: readMatches(read, object["matches"]) } : {};
  const isEmptyCanary =
    kind === "canary" && fields["stepWeight"] === null && fields["stepWeights"] === null;
  const steps = isEmptyCanary ? { stepWeight: DEFAULT_STRATEGY.stepWeight } : {};
  return { kind, ...fields, ...steps, ...matches } as unknown as ReleaseStrategy;
}

function readMatches(read: FieldReader, value: unknown): readonly TrafficMatch[] {
  return readList(
    read,
    "strategy.matches",
    value,
    (entry, path) => readShape(read, `${path}.`, entry, MATCH_SHAPE) as unknown as TrafficMatch,
  );
}

function readStickyBy(read: FieldReader, value: unknown): StickyBy {
  const object = readObject(read, "sticky_by", value) ?? {};
  const fields = { kind: { is: "text" }, header: { is: "text", otherwise: "" } } as const;
  const { kind, header } = readShape(read, "sticky_by.", object, fields);
  return (kind === "subject" ? { kind, header } : { kind }) as unknown as StickyBy;
}

function toMetric(read: FieldReader) {
  return (entry: Readonly<Record<string, unknown>>, path: string): ReleaseMetric | undefined => {
    const kind = METRIC_KINDS.find((known) => known === entry["kind"]);
    if (kind === undefined) {
      const problem = `must be one of ${METRIC_KINDS.join(", ")}; found ${nameOf(entry["kind"])}`;
      read.report(`${path}.kind`, problem);
      return undefined;
    }
    const shape = { ...METRIC_SHAPE, ...METRIC_SHAPES[kind] };
    const fields = readShape(read, `${path}.`, entry, shape, ["kind"]);
    return { kind, ...fields } as unknown as ReleaseMetric;
  };
}

function readReplay(read: FieldReader, value: unknown, defaults: ReplayRule): ReplayRule {
  const object = readObject(read, "replay", value) ?? {};
  const rule = defaults.kind === "sample" ? defaults : { afterInconclusive: 3, maxTexts: 500 };
  const fields = readShape(read, "replay.", object, {
    kind: { is: "text" },
    afterInconclusive: { is: "number", otherwise: rule.afterInconclusive },
    maxTexts: { is: "number", otherwise: rule.maxTexts },
  });
  return (fields["kind"] === "off" ? { kind: "off" } : fields) as unknown as ReplayRule;
}
