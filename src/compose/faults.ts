import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/schema.ts";
import { toSluiceError } from "../core/errors.ts";
import { describeRule } from "../core/faults/describe-rule.ts";
import type { FaultNews } from "../core/faults/fault-book.ts";
import { FaultBook } from "../core/faults/fault-book.ts";
import type { FaultRule } from "../core/faults/fault-rule.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { FaultExchange } from "../core/ports/fault-exchange.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { FaultOptions } from "../gateway/gateway-options.ts";
import { decodeFault } from "../protocols/native/faults/decode-fault.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { EventsPart } from "./events.ts";

/** The part of the composition root that makes faults on purpose. */

export interface FaultsPart {
  /** For the gateway. */
  readonly options: FaultOptions;
  /** Forgets all rules. */
  stop(): void;
}

export interface FaultSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<EventsPart, "audited">;
  readonly metrics: Pick<Metrics, "faultInjected">;
  /** Undefined when this process serves alone. */
  readonly exchange: FaultExchange | undefined;
}

/**
 * @returns undefined where faults are off, or nobody asks this process for anything
 * @throws ConfigError for rules in the configuration that cannot work
 */
export function createFaultsPart(
  config: Config,
  { clock, logger, events, metrics, exchange }: FaultSurroundings,
): FaultsPart | undefined {
  if (config.faults.enabled === "off" || config.role === "worker") return undefined;
  const log = ({ action, rule, by }: FaultNews) =>
    logger.warn(`A fault on purpose was ${action}.`, {
      fault: rule.name,
      rule: describeRule(rule),
      by,
    });
  const book = new FaultBook({
    clock,
    exchange,
    hear: log,
    announce: (news) => {
      log(news);
      const { action, rule, by } = news;
      const target = `faults/${rule.name}`;
      events.audited({ actor: by, action: `fault.${action}`, target, outcome: describeRule(rule) });
    },
  });
  for (const rule of readRules(config, clock)) {
    book.load(rule);
    log({ action: "set", rule, by: "configuration" });
  }
  return {
    options: {
      book,
      operators: config.faults.operators,
      injected: (rule, kind) => metrics.faultInjected(rule, kind),
    },
    stop: () => book.close(),
  };
}

function readRules({ faults }: Config, clock: Clock): readonly FaultRule[] {
  return faults.rules.map(({ name, ...body }, index) => {
    try {
      return decodeFault(name, body, clock.epochMs());
    } catch (thrown) {
      const problems = toSluiceError(thrown).details.map(({ field, problem }) => ({
        path: `faults.rules[${index}].${field}`,
        source: { kind: "default" } as const,
        expected: problem,
        found: "something else",
      }));
      throw new ConfigError(problems);
    }
  });
}
