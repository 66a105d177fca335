import type { Subject } from "./case.ts";
import type { HttpProbe } from "./http-probe.ts";
import { BINARY_CASES } from "./open-inference/binary-cases.ts";
import { DESCRIBE_CASES } from "./open-inference/describe-cases.ts";
import { INFER_CASES } from "./open-inference/infer-cases.ts";
import { findOpenInferenceTarget } from "./open-inference/target.ts";
import type { CaseResult } from "./run-cases.ts";
import { runCases } from "./run-cases.ts";
import { findTeiTarget, TEI_CASES } from "./tei/cases.ts";
import { TENSORFLOW_CASES } from "./tensorflow-serving/cases.ts";
import { findTensorFlowTarget } from "./tensorflow-serving/target.ts";

/** Protocols whose servers can be tried. */
export const PROTOCOLS = ["open-inference", "tensorflow-serving", "tei"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface TryOptions {
  /** `undefined` = one that the server has. */
  readonly model: string | undefined;
  readonly version: string | undefined;
  /** Only cases whose id has this in it. */
  readonly only: string | undefined;
}

export interface Trial {
  readonly subject: Subject;
  readonly results: readonly CaseResult[];
}

/**
 * Tries a server.
 *
 * @throws SluiceError `unavailable` or `deadline_exceeded` when it cannot be reached; `not_found` when there is no model
 * to try
 */
export async function tryServer(
  http: HttpProbe,
  protocol: Protocol,
  options: TryOptions,
): Promise<Trial> {
  const isWanted = ({ id }: { readonly id: string }) =>
    options.only === undefined || id.includes(options.only);
  if (protocol === "open-inference") {
    const target = await findOpenInferenceTarget(http, options);
    const cases = [...DESCRIBE_CASES, ...INFER_CASES, ...BINARY_CASES].filter(isWanted);
    return { subject: target, results: await runCases(cases, target) };
  }
  if (protocol === "tensorflow-serving") {
    const target = await findTensorFlowTarget(http, options);
    return { subject: target, results: await runCases(TENSORFLOW_CASES.filter(isWanted), target) };
  }
  const target = await findTeiTarget(http, options);
  return { subject: target, results: await runCases(TEI_CASES.filter(isWanted), target) };
}
