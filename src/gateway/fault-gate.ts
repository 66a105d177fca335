import type { ChosenFault } from "../core/faults/choose-fault.ts";
import type { FaultWait } from "../core/faults/inject-fault.ts";
import { injectFault } from "../core/faults/inject-fault.ts";
import type { InferencePipeline } from "../core/inference/run-inference.ts";
import type { RequestIdentity } from "../core/releases/assign-version.ts";
import { assignVersion } from "../core/releases/assign-version.ts";
import type { Call } from "./call.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/**
 * Where faults are made: every decoded request passes here once, before anything is computed, cached or observed for it.
 *
 * @throws SluiceError see `injectFault`
 */
export type FaultGate = (
  call: Call,
  model: string | undefined,
  version: string | undefined,
  timeoutMs: number | undefined,
) => Promise<void> | undefined;

/** @returns undefined where the configuration allows no faults */
export function createFaultGate(
  { faults, pipeline, defaultModel }: GatewayOptions,
  waitOf: (call: Call, timeoutMs: number | undefined) => FaultWait,
): FaultGate | undefined {
  if (faults === undefined) return undefined;
  const { book, injected } = faults;
  const choose = (call: Call, model: string, version: string | undefined) => {
    const identity = call.identify();
    const answering = findAnswering(model, version, identity, pipeline);
    const { keyId, headers } = identity;
    return book.choose({ requestId: call.id, model, version: answering, keyId, headers });
  };
  const inject = async (call: Call, chosen: ChosenFault, timeoutMs: number | undefined) => {
    call.noteFault(chosen.rule);
    const count = (kind: "delay" | "abort") => injected(chosen.rule, kind);
    await injectFault(chosen, waitOf(call, timeoutMs), pipeline.clock, count);
  };
  return (call, model = defaultModel, version, timeoutMs) => {
    if (!book.isActive) return undefined;
    const chosen = choose(call, model, version);
    return chosen && inject(call, chosen, timeoutMs);
  };
}

/**
 * The version that would answer, also where a label names it; null for a graph, and where none can.
 *
 * @param version as the request names it
 */
function findAnswering(
  model: string,
  version: string | undefined,
  identity: RequestIdentity,
  { graphs, releases, registry }: InferencePipeline,
): string | null {
  if (graphs.has(model)) return null;
  const split = version === undefined ? releases.find(model)?.split : undefined;
  if (split !== undefined) return split[assignVersion(split, identity)];
  try {
    const { serving, tensors } = registry.resolveAny(model, version);
    return serving?.manifest.version ?? tensors?.manifest.version ?? null;
  } catch {
    // What is wrong with the request is told by whoever answers it.
    return version ?? null;
  }
}
