import type { Assignment, Layer } from "./assignment.ts";
import { checkValue } from "./check-value.ts";
import type { ConfigProblem, ConfigSource } from "./config-error.ts";
import { toFound } from "./expectation.ts";
import { parseText } from "./parse-text.ts";
import type { Setting } from "./setting-list.ts";
import { SETTINGS } from "./setting-list.ts";

/** The values after all layers, by path, and where each that is not a default came from. */
export interface Resolution {
  readonly values: ReadonlyMap<string, unknown>;
  readonly origins: ReadonlyMap<string, ConfigSource>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Lays `layers` over each other, the later over the earlier, and checks every value, also those that a later layer
 * hides: a mistake is easier to find on the day it is made.
 */
export function resolveLayers(layers: readonly Layer[]): Resolution {
  const resolver = new Resolver(layers);
  for (const setting of SETTINGS.filter(({ driver }) => driver === undefined)) {
    resolver.resolve(setting);
  }
  for (const setting of SETTINGS.filter(({ driver }) => driver !== undefined)) {
    resolver.resolveDriverSetting(setting);
  }
  return resolver;
}

class Resolver implements Resolution {
  readonly values = new Map<string, unknown>();
  readonly origins = new Map<string, ConfigSource>();
  readonly problems: ConfigProblem[] = [];
  readonly #layers: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  resolve(setting: Setting): void {
    this.values.set(setting.path, setting.defaultValue);
    for (const assignment of this.#findAssignments(setting.path)) {
      this.#take(setting, assignment);
    }
  }

  /** Settings of a driver that is not chosen are left out of the result, and refused where they can only be a mistake. */
  resolveDriverSetting(setting: Setting): void {
    const { driver } = setting;
    if (driver === undefined) return;
    const chosen = this.values.get(driver.choice);
    if (chosen === driver.name) {
      this.resolve(setting);
      return;
    }
    const isSharedPath = SETTINGS.some(
      (other) => other.path === setting.path && other.driver?.name === chosen,
    );
    if (!isSharedPath) this.#refuseIdle(setting, driver.choice, String(chosen));
  }

  /**
   * A setting of another driver is a leftover when a later layer changed the driver, and a mistake when it stands
   * beside the choice or comes after it.
   */
  #refuseIdle(setting: Setting, choice: string, chosen: string): void {
    const layerOfChoice = this.#layers.findLastIndex(({ assignments }) =>
      assignments.some(({ path }) => path === choice),
    );
    for (const [index, { assignments }] of this.#layers.entries()) {
      for (const { path, value, source } of assignments) {
        if (path !== setting.path || index < layerOfChoice) continue;
        this.problems.push({
          path,
          source,
          expected: `no such setting while ${choice} is ${chosen}`,
          found: toFound(value, setting.schema),
        });
      }
    }
  }

  #findAssignments(path: string): Assignment[] {
    return this.#layers.flatMap(({ assignments }) => assignments.filter((a) => a.path === path));
  }

  #take(setting: Setting, assignment: Assignment): void {
    const { source, locate } = assignment;
    const value =
      assignment.isText && typeof assignment.value === "string"
        ? parseText(setting.schema, assignment.value)
        : assignment.value;
    const violations = checkValue(setting.schema, value, setting.path);
    for (const violation of violations) {
      const isUnreadJson = value === assignment.value && isWrittenAsJson(setting);
      const expected =
        violation.expected + (assignment.isText && isUnreadJson ? ", written as JSON" : "");
      this.problems.push({ ...violation, expected, source: locate?.(violation.path) ?? source });
    }
    if (violations.length > 0) return;
    this.values.set(setting.path, value);
    this.origins.set(setting.path, source);
  }
}

function isWrittenAsJson({ schema }: Setting): boolean {
  return schema.type === "array" || schema.type === "object";
}
