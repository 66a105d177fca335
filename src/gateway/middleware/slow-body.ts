import type { IncomingMessage } from "node:http";

/** A request whose body takes longer than bodies may. */
export type SlowBodyListener = (request: IncomingMessage) => void;

export interface SlowBodyWatch {
  /** A request has begun; its body may still be on its way. */
  begin(request: IncomingMessage): void;
  /** Its body is there, or may take as long as it takes. */
  end(request: IncomingMessage): void;
  stop(): void;
}

/**
 * Watches for clients that hold connections open by sending bodies slowly. Node's own limit is one for all addresses, and
 * uploads may take hours where everything else has seconds.
 *
 * @param timeoutMs from the head of a request to the end of its body
 */
export function watchSlowBodies(
  timeoutMs: number,
  checkEveryMs: number,
  onSlow: SlowBodyListener,
): SlowBodyWatch {
  const begun = new Map<IncomingMessage, number>();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (const [request, sinceMs] of begun) {
      if (request.complete || request.destroyed) begun.delete(request);
      else if (nowMs - sinceMs >= timeoutMs) {
        begun.delete(request);
        onSlow(request);
      }
    }
  }, checkEveryMs);
  timer.unref();
  return {
    begin: (request) => void begun.set(request, performance.now()),
    end: (request) => void begun.delete(request),
    stop: () => clearInterval(timer),
  };
}
