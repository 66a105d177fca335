import type { ErrorCode } from "../core/errors.ts";

/** How an error code shows on the wire. `grpc` is the canonical status number of gRPC. */
export interface WireStatus {
  readonly http: number;
  readonly grpc: number;
}

/** The one table of statuses: every code has a row, and no protocol keeps a table of its own. */
export const WIRE_STATUS = {
  invalid_argument: { http: 400, grpc: 3 },
  unauthenticated: { http: 401, grpc: 16 },
  permission_denied: { http: 403, grpc: 7 },
  not_found: { http: 404, grpc: 5 },
  // FAILED_PRECONDITION: trying again without a change of state does not help.
  conflict: { http: 409, grpc: 9 },
  method_not_allowed: { http: 405, grpc: 12 },
  too_large: { http: 413, grpc: 3 },
  unsupported_media_type: { http: 415, grpc: 3 },
  rate_limited: { http: 429, grpc: 8 },
  overloaded: { http: 429, grpc: 8 },
  deadline_exceeded: { http: 504, grpc: 4 },
  // Nobody reads this one; 499 is what proxies write into their logs for it.
  cancelled: { http: 499, grpc: 1 },
  unavailable: { http: 503, grpc: 14 },
  model_failed: { http: 502, grpc: 13 },
  internal: { http: 500, grpc: 13 },
} as const satisfies Record<ErrorCode, WireStatus>;
