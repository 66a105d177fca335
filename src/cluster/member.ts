import type { FaultChange, FaultExchange } from "../core/ports/fault-exchange.ts";
import type { MemberMessage, PrimaryMessage, RateDelta } from "./messages.ts";
import type { RateExchange } from "./shared-rate-counter.ts";

/** What a serving process needs to know of the others. */
export interface ProcessGroup {
  /** Processes that serve together. */
  readonly size: number;
  /** The metrics pages of all processes, the own one included. */
  collectMetrics(): Promise<readonly string[]>;
  /** Says how to make the own page. */
  onRender(render: () => Promise<string>): void;
  readonly rates: RateExchange;
  readonly faults: FaultExchange;
  /** The server listens. */
  reportReady(screen: string): void;
}

/** The way between this process and the primary one. */
export interface MemberChannel {
  send(message: MemberMessage): void;
  onMessage(listener: (message: PrimaryMessage) => void): void;
}

export function createProcessGroup(size: number, channel: MemberChannel): ProcessGroup {
  const collections = new Map<number, (texts: readonly string[]) => void>();
  let nextId = 0;
  let render: () => Promise<string> = async () => "";
  let hearFault: (change: FaultChange) => void = () => {};
  let hearRates: (deltas: readonly RateDelta[]) => void = () => {};
  channel.onMessage((message) => {
    if (message.kind === "rates") hearRates(message.deltas);
    else if (message.kind === "fault") hearFault(message.change);
    else if (message.kind === "collected") {
      collections.get(message.id)?.(message.texts);
      collections.delete(message.id);
    } else {
      void render().then((text) => channel.send({ kind: "metrics", id: message.id, text }));
    }
  });
  return {
    size,
    collectMetrics: () =>
      new Promise((resolve) => {
        const id = nextId++;
        collections.set(id, resolve);
        channel.send({ kind: "collect", id });
      }),
    onRender: (renderOwn) => {
      render = renderOwn;
    },
    rates: {
      send: (deltas) => channel.send({ kind: "rates", deltas }),
      onDeltas: (listener) => {
        hearRates = listener;
      },
    },
    faults: {
      send: (change) => channel.send({ kind: "fault", change }),
      onChange: (listener) => {
        hearFault = listener;
      },
    },
    reportReady: (screen) => channel.send({ kind: "ready", screen }),
  };
}

/** The channel that Node opens between the processes of a cluster. */
export function openMemberChannel(): MemberChannel {
  return {
    send: (message) => {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => {
      process.on("message", (message) => listener(message as PrimaryMessage));
    },
  };
}
