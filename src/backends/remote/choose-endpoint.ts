import type { EndpointState } from "./endpoint-health.ts";

/** What the choice looks at. */
export interface EndpointSnapshot {
  readonly state: EndpointState;
  /** Requests that it has and has not answered. A slow endpoint has more of them, and so gets fewer. */
  readonly inFlight: number;
  /** It is probing, and a request may be its trial. */
  readonly wantsTrial: boolean;
}

/** How often each endpoint had this request already, by index; no entry means never. */
export type Tried = ReadonlyMap<number, number>;

/**
 * The endpoint to use, as an index into the snapshot; undefined when there is none. Pure.
 *
 * An endpoint that needs a trial gets this request first, because nothing else would bring it back. Otherwise the one
 * with the least in flight of those that are healthy and have not had this request; among equals the next in turn.
 * Only when every healthy one has had it, one that had it gets it again.
 *
 * @param turn index from which equals are counted
 * @param maxTries how often one endpoint may have the same request
 */
export function chooseEndpoint(
  endpoints: readonly EndpointSnapshot[],
  tried: Tried,
  turn: number,
  maxTries: number,
): number | undefined {
  const triesOf = (index: number) => tried.get(index) ?? 0;
  const trial = findFrom(endpoints, turn, (one, index) => one.wantsTrial && triesOf(index) === 0);
  if (trial !== undefined) return trial;
  let best: number | undefined;
  let leastTries = maxTries;
  let leastLoad = Number.POSITIVE_INFINITY;
  for (let step = 0; step < endpoints.length; step++) {
    const index = (turn + step) % endpoints.length;
    const endpoint = endpoints[index];
    if (endpoint?.state !== "healthy") continue;
    const tries = triesOf(index);
    if (tries > leastTries || tries >= maxTries) continue;
    if (tries === leastTries && endpoint.inFlight >= leastLoad) continue;
    best = index;
    leastTries = tries;
    leastLoad = endpoint.inFlight;
  }
  return best;
}

function findFrom(
  endpoints: readonly EndpointSnapshot[],
  turn: number,
  matches: (endpoint: EndpointSnapshot, index: number) => boolean,
): number | undefined {
  for (let step = 0; step < endpoints.length; step++) {
    const index = (turn + step) % endpoints.length;
    const endpoint = endpoints[index];
    if (endpoint !== undefined && matches(endpoint, index)) return index;
  }
  return undefined;
}
