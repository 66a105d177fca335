import pino from "pino";
import type { LogFields, Logger } from "../core/ports/logger.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `json` for machines, `pretty` for people. */
  readonly format: "json" | "pretty";
  /** Where lines go. Default: standard error, so that standard output stays free for results. */
  readonly write?: (line: string) => void;
}

/** Structured logging with pino; people get the same facts as short lines. */
export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? ((line) => void process.stderr.write(line));
  const { level, format } = options;
  const stream = { write: format === "json" ? write : (line: string) => write(toPretty(line)) };
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  return {
    debug: (message, fields) => logger.debug(withError(fields), message),
    info: (message, fields) => logger.info(withError(fields), message),
    warn: (message, fields) => logger.warn(withError(fields), message),
    error: (message, fields) => logger.error(withError(fields), message),
  };
}

/** Errors have no enumerable fields; pino writes those it finds under `err`. */
function withError(fields: LogFields = {}): LogFields {
  const { cause, ...rest } = fields;
  return cause instanceof Error ? { ...rest, err: cause } : fields;
}

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

function toPretty(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const facts = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const clock = String(time).slice(11, 23);
  return `${[clock, LEVEL_NAMES[Number(level)]?.padEnd(5), msg, ...facts].join(" ")}\n`;
}
