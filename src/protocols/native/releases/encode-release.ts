import type { StoredRelease } from "../../../core/ports/release-store.ts";
import type { Analysis } from "../../../core/releases/analyse.ts";
import type { ReleaseEvent } from "../../../core/releases/decision.ts";
import type { ReleasePlan } from "../../../core/releases/release-plan.ts";
import { listStepWeights } from "../../../core/releases/release-plan.ts";
import type { ReleaseState } from "../../../core/releases/release-state.ts";
import { toWireName } from "./read-shape.ts";

/** A release as callers see it: its state, the last checks, and its plan as it can be sent again. */
export function encodeRelease(
  plan: ReleasePlan,
  state: ReleaseState,
  analysis: Analysis | null,
): string {
  return JSON.stringify(toReleaseObject(plan, state, analysis));
}

/** A page of releases; `next` is what to send as `after` for the next one, null at the end. */
export function encodeReleaseList(releases: readonly StoredRelease[], limit: number): string {
  const last = releases.length === limit ? releases.at(-1) : undefined;
  return JSON.stringify({
    releases: releases.map(({ plan, state, analysis }) => toReleaseObject(plan, state, analysis)),
    next: last?.state.id ?? null,
  });
}

function toReleaseObject(plan: ReleasePlan, state: ReleaseState, analysis: Analysis | null) {
  const steps = listStepWeights(plan.strategy).length;
  const seen = toWire({ ...state, steps }) as Record<string, unknown>;
  return { ...seen, checks: toWire(analysis?.checks ?? []), plan: toWire(plan) };
}

/** What was decided, with the numbers that it was decided on; the newest first. */
export function encodeHistory(events: readonly ReleaseEvent[]): string {
  return JSON.stringify({ events: events.map(toWire) });
}

/** Names of fields become `snake_case`, and `…AtMs` a time of ISO 8601. What callers have written is no name of a field. */
function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => {
      const isTime = /(?:^a|A)tMs$|SinceMs$/.test(name);
      if (!isTime) return [toWireName(name), toWire(entry)];
      const time = typeof entry === "number" ? new Date(entry).toISOString() : null;
      return [toWireName(name.slice(0, -"Ms".length)), time];
    }),
  );
}
