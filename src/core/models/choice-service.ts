import { SluiceError } from "../errors.ts";
import type { ChoiceStore } from "../ports/choice-store.ts";
import type { ModelRegistry } from "./registry.ts";
import type { ModelChoice } from "./version-choices.ts";
import { LABEL_NAME, MAX_LABELS_OF_MODEL } from "./version-choices.ts";

/** What people can choose for models. Every method throws SluiceError `unavailable` while the store cannot be reached. */
export interface ChoiceService {
  /**
   * Has a version answer who names none.
   *
   * @throws SluiceError `not_found` for an unknown model or version, `conflict` for a version that is not ready and while a
   * release decides
   */
  pin(model: string, version: string): Promise<void>;
  /** Has the version answer again that the configuration says. @throws SluiceError `not_found`, `conflict` as `pin` */
  unpin(model: string): Promise<void>;
  /**
   * Lets callers name a version by a label.
   *
   * @throws SluiceError `not_found` as `pin`, `invalid_argument` for a label that may not be one
   */
  label(model: string, label: string, version: string): Promise<void>;
  /** @throws SluiceError `not_found` when there is no such label */
  unlabel(model: string, label: string): Promise<void>;
}

export interface ChoiceServiceOptions {
  readonly store: () => Promise<ChoiceStore>;
  readonly registry: ModelRegistry;
  readonly epochMs: () => number;
  /** Whether a release that is under way decides which version of a model answers. */
  readonly isReleased: (model: string) => boolean;
  /** Has this process go by what was chosen, at once. */
  readonly changed: () => Promise<void>;
}

/** Pins and labels, checked against the versions that there are. */
export function createChoiceService(options: ChoiceServiceOptions): ChoiceService {
  const { store, registry, epochMs, isReleased, changed } = options;
  const change = async (model: string, to: (before: ModelChoice) => ModelChoice) => {
    await (await store()).change(model, to);
    await changed();
  };
  const assertFree = (model: string) => {
    registry.assertKnown(model);
    if (!isReleased(model)) return;
    const message = `A release of ${model} is under way and decides which version answers; end it first.`;
    throw new SluiceError("conflict", message);
  };
  return {
    pin: async (model, version) => {
      assertFree(model);
      assertVersion(registry, model, version);
      if (registry.stateOf(model, version) !== "ready") {
        const state = registry.stateOf(model, version);
        const message = `${model} ${version} is ${state} and cannot answer; load it first.`;
        throw new SluiceError("conflict", message);
      }
      await change(model, (before) => ({ ...before, pin: version, pinnedAtMs: epochMs() }));
    },
    unpin: async (model) => {
      assertFree(model);
      await change(model, (before) => ({ ...before, pin: null, pinnedAtMs: epochMs() }));
    },
    label: async (model, label, version) => {
      registry.assertKnown(model);
      assertLabel(label);
      assertVersion(registry, model, version);
      await change(model, (before) => withLabel(before, label, version));
    },
    unlabel: async (model, label) => {
      registry.assertKnown(model);
      await change(model, (before) => {
        const { [label]: version, ...labels } = before.labels;
        if (version !== undefined) return { ...before, labels };
        throw new SluiceError(
          "not_found",
          `Nobody gave a version of ${model} the label "${label}".`,
        );
      });
    },
  };
}

function withLabel(before: ModelChoice, label: string, version: string): ModelChoice {
  const labels = { ...before.labels, [label]: version };
  if (Object.keys(labels).length > MAX_LABELS_OF_MODEL) {
    throw refuse("label", `is one too many; a model has at most ${MAX_LABELS_OF_MODEL}`);
  }
  return { ...before, labels };
}

function assertLabel(label: string): void {
  if (LABEL_NAME.test(label)) return;
  const problem = "must begin with a small letter and hold at most 63 of these, digits and hyphens";
  throw refuse("label", problem);
}

function assertVersion(registry: ModelRegistry, model: string, version: string): void {
  if (registry.stateOf(model, version) !== undefined) return;
  const known = registry.list().filter((one) => one.model === model);
  const names = known.map((one) => one.version).join(", ");
  const details = [{ field: "version", problem: `must be one of ${names}` }];
  throw new SluiceError("not_found", `There is no ${model} ${version}; there are ${names}.`, {
    details,
  });
}

function refuse(field: string, problem: string): SluiceError {
  const details = [{ field, problem }];
  return new SluiceError("invalid_argument", `${field} ${problem}.`, { details });
}
