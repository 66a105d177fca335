import type { FaultChange } from "../core/ports/fault-exchange.ts";

/** Requests of one caller that a process counted since it last told the others. */
export interface RateDelta {
  readonly key: string;
  readonly count: number;
  /** Milliseconds until the caller's window ends. */
  readonly resetMs: number;
}

/** From a serving process to the primary one. */
export type MemberMessage =
  | { readonly kind: "ready"; readonly screen: string }
  /** Somebody asks for the metrics of all processes. */
  | { readonly kind: "collect"; readonly id: number }
  | { readonly kind: "metrics"; readonly id: number; readonly text: string }
  | { readonly kind: "rates"; readonly deltas: readonly RateDelta[] }
  | FaultMessage;

/** A fault was set or removed in one of the processes. */
export interface FaultMessage {
  readonly kind: "fault";
  readonly change: FaultChange;
}

/** From the primary process to one that serves. */
export type PrimaryMessage =
  /** Send your metrics. */
  | { readonly kind: "render"; readonly id: number }
  | { readonly kind: "collected"; readonly id: number; readonly texts: readonly string[] }
  | { readonly kind: "rates"; readonly deltas: readonly RateDelta[] }
  | FaultMessage;
