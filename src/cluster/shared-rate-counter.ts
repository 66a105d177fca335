import type { RateCount, RateCounter } from "../core/ports/rate-counter.ts";
import type { RateDelta } from "./messages.ts";

/** How processes tell each other what they counted. */
export interface RateExchange {
  send(deltas: readonly RateDelta[]): void;
  /** Calls `listener` with what other processes counted. */
  onDeltas(listener: (deltas: readonly RateDelta[]) => void): void;
}

export interface SharedRateCounterOptions {
  /** Counts the requests of this process. */
  readonly own: RateCounter;
  readonly exchange: RateExchange;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** How long a process keeps what it counted to itself. A caller can exceed its allowance by what it sends in this time. */
const EXCHANGE_MS = 100;

/** What the other processes counted of one caller. */
interface Elsewhere {
  count: number;
  endsMs: number;
}

/**
 * Counts for several processes of one machine: each counts for itself and tells the others every 100 ms. Exact counting
 * would cost every request a trip to another process.
 */
export function createSharedRateCounter(options: SharedRateCounterOptions): RateCounter {
  const { own, exchange, nowMs } = options;
  const elsewhere = new Map<string, Elsewhere>();
  const untold = new Map<string, { count: number; resetMs: number }>();

  exchange.onDeltas((deltas) => {
    const now = nowMs();
    for (const { key, count, resetMs } of deltas) {
      const known = elsewhere.get(key);
      if (known !== undefined && known.endsMs > now) known.count += count;
      else elsewhere.set(key, { count, endsMs: now + resetMs });
    }
  });
  const timer = setInterval(() => {
    const now = nowMs();
    for (const [key, { endsMs }] of elsewhere) if (endsMs <= now) elsewhere.delete(key);
    if (untold.size === 0) return;
    exchange.send([...untold].map(([key, delta]) => ({ key, ...delta })));
    untold.clear();
  }, EXCHANGE_MS);
  timer.unref();

  const addElsewhere = (key: string, here: RateCount): RateCount => {
    const delta = untold.get(key);
    untold.set(key, { count: (delta?.count ?? 0) + 1, resetMs: here.resetMs });
    const other = elsewhere.get(key);
    if (other === undefined || other.endsMs <= nowMs()) return here;
    return { count: here.count + other.count, resetMs: here.resetMs };
  };
  return {
    description: `${own.description}, shared by the processes of this machine`,
    hit(key, windowMs) {
      const here = own.hit(key, windowMs);
      return here instanceof Promise
        ? here.then((count) => addElsewhere(key, count))
        : addElsewhere(key, here);
    },
    async close() {
      clearInterval(timer);
      await own.close();
    },
  };
}
