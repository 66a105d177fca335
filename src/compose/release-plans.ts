import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/schema.ts";
import { toSluiceError } from "../core/errors.ts";
import type { ModelRegistry } from "../core/models/registry.ts";
import { givesLabels } from "../core/releases/gives-labels.ts";
import type { ReleaseHook, ReleasePlan } from "../core/releases/release-plan.ts";
import { decodePlan } from "../protocols/native/releases/decode-plan.ts";

/** Plans of the configuration, by model. */
export interface ReleasePlans {
  /** What a plan of this model says that the caller did not say; empty where the configuration has none. */
  fieldsOf(model: string): object;
  /** @throws SluiceError `invalid_argument` for a plan that does not fit the model */
  planOf(model: string, candidate: string): ReleasePlan;
}

/** Stands for the one that a plan is made for. */
const ANY_VERSION = "1.0.0";

/**
 * @param assertHooks throws SluiceError for hooks that may not be asked
 * @throws ConfigError for plans that cannot work
 */
export function readReleasePlans(
  { releases }: Config,
  registry: ModelRegistry,
  assertHooks: (hooks: readonly ReleaseHook[]) => void,
): ReleasePlans {
  const plans = new Map<string, object>();
  for (const [index, plan] of releases.plans.entries()) {
    const path = `releases.plans[${index}]`;
    const report = (field: string, expected: string): never => {
      const source = { kind: "default" } as const;
      throw new ConfigError([
        { path: `${path}.${field}`, source, expected, found: "something else" },
      ]);
    };
    if (plans.has(plan.model)) report("model", "another one than in the plans before");
    try {
      assertHooks(decodePlan({ ...plan, candidate: ANY_VERSION }, () => true).hooks);
    } catch (thrown) {
      const { details, message } = toSluiceError(thrown);
      const [first = { field: "model", problem: message }] = details;
      report(first.field, first.problem);
    }
    plans.set(plan.model, plan);
  }
  const fieldsOf = (model: string) => plans.get(model) ?? {};
  return {
    fieldsOf,
    planOf: (model, candidate) =>
      decodePlan({ ...fieldsOf(model), model, candidate }, (name) => givesLabels(name, registry)),
  };
}
