import { findFaultProblems } from "../../../core/faults/check-rule.ts";
import type {
  FaultAbort,
  FaultDelay,
  FaultMatch,
  FaultRule,
  HeaderMatch,
} from "../../../core/faults/fault-rule.ts";
import { FieldReader, nameOf } from "../field-reader.ts";
import { readObject } from "../releases/read-shape.ts";
import { parseDuration } from "./duration.ts";

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = ["match", "delay", "abort", "ttl"] as const;
const HEADER_TESTS = ["exact", "prefix", "suffix"] as const;

/**
 * Reads the parsed body of `PUT /v1/faults/{name}`. `delay` and `abort` are those of Istio's `HTTPFaultInjection`, headers
 * its `StringMatch` without regular expressions.
 *
 * @param epochMs now; `ttl` counts from here
 * @throws SluiceError `invalid_argument` with one detail per wrong field, also for a rule that cannot work
 */
export function decodeFault(name: string, body: unknown, epochMs: number): FaultRule {
  const read = new FieldReader(body);
  const { match, delay, abort, ttl } = read.fields;
  read.refuseUnknown(FIELDS);
  const rule: FaultRule = {
    name,
    match: readMatch(read, match),
    delay: delay === undefined || delay === null ? null : readDelay(read, delay),
    abort: abort === undefined || abort === null ? null : readAbort(read, abort),
    expiresAtMs: epochMs + readDuration(read, "ttl", ttl),
  };
  read.assertNoProblems();
  for (const { field, problem } of findFaultProblems(rule, epochMs)) read.report(field, problem);
  read.assertNoProblems();
  return rule;
}

const NOTHING: FaultMatch = {
  everything: false,
  model: null,
  version: null,
  key: null,
  headers: [],
};

function readMatch(read: FieldReader, value: unknown): FaultMatch {
  const fields = value === undefined ? NOTHING : readObject(read, "match", value);
  if (fields === undefined || value === undefined) return NOTHING;
  const found = fields as Fields;
  refuseUnknown(read, "match", found, ["everything", "model", "version", "key", "headers"]);
  const { everything = false } = found;
  if (typeof everything !== "boolean") {
    read.report("match.everything", `must be true or false; found ${nameOf(everything)}`);
  }
  return {
    everything: everything === true,
    model: read.optionalText("match.model", found["model"]) ?? null,
    version: read.optionalText("match.version", found["version"]) ?? null,
    key: read.optionalText("match.key", found["key"]) ?? null,
    headers: readHeaders(read, found["headers"]),
  };
}

function readHeaders(read: FieldReader, value: unknown): readonly HeaderMatch[] {
  if (value === undefined || value === null) return [];
  const headers = readObject(read, "match.headers", value) ?? {};
  return Object.entries(headers).flatMap(([name, one]) => {
    const path = `match.headers.${name.slice(0, 64)}`;
    const fields = readObject(read, path, one);
    if (fields === undefined) return [];
    const [test, ...others] = HEADER_TESTS.filter((known) => fields[known] !== undefined);
    if (test === undefined || others.length > 0 || Object.keys(fields).length > 1) {
      read.report(path, `must hold one of ${HEADER_TESTS.join(", ")}, and nothing else`);
      return [];
    }
    const text = read.text(`${path}.${test}`, fields[test]);
    return [{ name: name.toLowerCase(), test, value: text }];
  });
}

function readDelay(read: FieldReader, value: unknown): FaultDelay | null {
  const fields = readObject(read, "delay", value);
  if (fields === undefined) return null;
  refuseUnknown(read, "delay", fields, ["percentage", "fixedDelay"]);
  return {
    percent: readPercent(read, "delay", fields),
    fixedDelayMs: readDuration(read, "delay.fixedDelay", fields["fixedDelay"]),
  };
}

function readAbort(read: FieldReader, value: unknown): FaultAbort | null {
  const fields = readObject(read, "abort", value);
  if (fields === undefined) return null;
  refuseUnknown(read, "abort", fields, ["percentage", "httpStatus", "grpcStatus"]);
  const { httpStatus = null } = fields;
  if (httpStatus !== null && typeof httpStatus !== "number") {
    read.report("abort.httpStatus", `must be a number; found ${nameOf(httpStatus)}`);
  }
  return {
    percent: readPercent(read, "abort", fields),
    httpStatus: typeof httpStatus === "number" ? httpStatus : null,
    grpcStatus: read.optionalText("abort.grpcStatus", fields["grpcStatus"]) ?? null,
  };
}

/** Istio takes a share that is left out for none at all, which nobody means. */
function readPercent(read: FieldReader, path: string, { percentage }: Fields): number {
  if (percentage === undefined) {
    read.report(`${path}.percentage`, 'is missing; send {"value": 100} for every request');
    return 0;
  }
  const fields = readObject(read, `${path}.percentage`, percentage);
  if (fields === undefined) return 0;
  refuseUnknown(read, `${path}.percentage`, fields, ["value"]);
  const { value } = fields;
  if (typeof value === "number") return value;
  read.report(`${path}.percentage.value`, `must be a number from 0 to 100; found ${nameOf(value)}`);
  return 0;
}

function readDuration(read: FieldReader, path: string, value: unknown): number {
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms !== undefined) return ms;
  const found = value === undefined ? "nothing" : nameOf(value);
  read.report(path, `must be a duration such as "500ms", "5s" or "10m"; found ${found}`);
  return 0;
}

function refuseUnknown(
  read: FieldReader,
  path: string,
  fields: Fields,
  known: readonly string[],
): void {
  for (const field of Object.keys(fields)) {
    if (known.includes(field)) continue;
    read.report(`${path}.${field.slice(0, 64)}`, `is not a field; known are ${known.join(", ")}`);
  }
}
