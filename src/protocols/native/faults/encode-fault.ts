import type { FaultMatch, FaultRule } from "../../../core/faults/fault-rule.ts";
import { formatDuration } from "./duration.ts";

/** A rule as `decodeFault` reads it, with its name and end. */
export function encodeFault(rule: FaultRule): string {
  return JSON.stringify(toWireFault(rule));
}

/** `{"faults": […]}`, in the order in which they are tried. */
export function encodeFaultList(rules: readonly FaultRule[]): string {
  return JSON.stringify({ faults: rules.map(toWireFault) });
}

function toWireFault({ name, match, delay, abort, expiresAtMs }: FaultRule): object {
  return {
    name,
    match: toWireMatch(match),
    ...(delay !== null && {
      delay: {
        percentage: { value: delay.percent },
        fixedDelay: formatDuration(delay.fixedDelayMs),
      },
    }),
    ...(abort !== null && {
      abort: {
        percentage: { value: abort.percent },
        ...(abort.httpStatus !== null && { httpStatus: abort.httpStatus }),
        ...(abort.grpcStatus !== null && { grpcStatus: abort.grpcStatus }),
      },
    }),
    expires_at: new Date(expiresAtMs).toISOString(),
  };
}

function toWireMatch({ everything, model, version, key, headers }: FaultMatch): object {
  return {
    ...(everything && { everything }),
    ...(model !== null && { model }),
    ...(version !== null && { version }),
    ...(key !== null && { key }),
    ...(headers.length > 0 && {
      headers: Object.fromEntries(
        headers.map(({ name, test, value }) => [name, { [test]: value }]),
      ),
    }),
  };
}
