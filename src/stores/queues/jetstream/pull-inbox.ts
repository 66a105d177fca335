import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";

/** A message as it came, with the moment (`performance.now()`) when it did. */
export interface PulledMessage {
  readonly message: Msg;
  /** Where its acks go. */
  readonly reply: string;
  readonly receivedMs: number;
}

/** A subject of our own, on which one ask at a time is answered. */
interface Slot {
  readonly inbox: string;
  readonly subscription: Subscription;
  pull: Pull | undefined;
}

interface Pull {
  readonly batch: number;
  readonly got: PulledMessage[];
  readonly settle: (failure?: Error) => void;
}

export interface PullInboxOptions {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly createInbox: () => string;
  /** An ask was not answered: perhaps the stream or the consumer is not there any more. */
  readonly onSilence: () => void;
}

const ACK_PREFIX = "$JS.ACK.";
const NO_RESPONDERS = 503;
/** An ask is answered at once, or not at all: see `pull`. */
const ANSWER_MS = 500;

/**
 * Asks consumers for what they have now, without waiting. The client's own `fetch` waits for at least a second, which with several lanes
 * would hand out more than was wanted. Format of asks and answers: ADR-13 of NATS. A message comes under the subject it was published
 * to, so that every ask under way needs a subscription of its own; they are used again. An answer that is no message is a status, and
 * ends the ask.
 */
export class PullInbox {
  readonly #connection: NatsConnection;
  readonly #stream: string;
  readonly #createInbox: () => string;
  readonly #onSilence: () => void;
  readonly #slots = new Set<Slot>();
  readonly #free: Slot[] = [];

  constructor(options: PullInboxOptions) {
    this.#connection = options.connection;
    this.#stream = options.stream;
    this.#createInbox = options.createInbox;
    this.#onSilence = options.onSilence;
  }

  /**
   * Up to `batch` messages of a consumer; none when it has none. A server that was killed may remember a lease whose message is gone;
   * an ask that comes when such a lease ends is never answered (seen with nats-server 2.9.10). So an ask is given up soon, and when the
   * server is found alive there was nothing.
   *
   * @throws what the server said, or what came of looking whether it is alive
   */
  async pull(consumer: string, batch: number): Promise<readonly PulledMessage[]> {
    const slot = this.#free.pop() ?? this.#openSlot();
    const got: PulledMessage[] = [];
    let timer: NodeJS.Timeout | undefined;
    let isEnded = false;
    try {
      await new Promise<void>((resolve, reject) => {
        const settle = (failure?: Error) => {
          isEnded = failure === undefined;
          clearTimeout(timer);
          if (failure === undefined || got.length > 0) resolve();
          else reject(failure);
        };
        slot.pull = { batch, got, settle };
        timer = setTimeout(() => {
          this.#onSilence();
          this.#connection.flush().then(resolve, reject);
        }, ANSWER_MS);
        const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${consumer}`;
        const ask = JSON.stringify({ batch, no_wait: true });
        this.#connection.publish(subject, ask, { reply: slot.inbox });
      });
    } finally {
      clearTimeout(timer);
      slot.pull = undefined;
      if (isEnded) this.#free.push(slot);
      else this.#closeSlot(slot);
    }
    return got;
  }

  /** The connection is gone: no answer will come. */
  fail(failure: Error): void {
    for (const slot of [...this.#slots]) slot.pull?.settle(failure);
  }

  #openSlot(): Slot {
    const inbox = this.#createInbox();
    const subscription = this.#connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null) this.#receive(slot, message);
      },
    });
    const slot: Slot = { inbox, subscription, pull: undefined };
    this.#slots.add(slot);
    return slot;
  }

  /** What still comes for it is nobody's until its lease runs out. */
  #closeSlot(slot: Slot): void {
    this.#slots.delete(slot);
    slot.subscription.unsubscribe();
  }

  #receive({ pull }: Slot, message: Msg): void {
    const { reply } = message;
    if (!reply?.startsWith(ACK_PREFIX)) {
      const isNobody = message.headers?.code === NO_RESPONDERS;
      pull?.settle(isNobody ? toError("NoResponders") : undefined);
      return;
    }
    if (pull === undefined) {
      // Nobody waits for it any more: others may have it.
      this.#connection.publish(reply, "-NAK");
      return;
    }
    pull.got.push({ message, reply, receivedMs: performance.now() });
    if (pull.got.length >= pull.batch) pull.settle();
  }
}

function toError(name: string): Error {
  const error = new Error("a pull was not answered");
  error.name = name;
  return error;
}
