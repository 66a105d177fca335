import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { SluiceError } from "../../../core/errors.ts";
import type { NatsOptions } from "../../nats/connect.ts";
import { connectNats, describeNatsUrl } from "../../nats/connect.ts";
import type { AckWaits, StreamOptions } from "./prepare-streams.ts";
import { prepareStreams } from "./prepare-streams.ts";
import { PullInbox } from "./pull-inbox.ts";
import { isPassing, LinkLostError, toUnavailable } from "./session-failure.ts";
import type { WorkNames } from "./work-names.ts";

export interface SessionOptions extends NatsOptions, StreamOptions {
  /** For every call as a whole. */
  readonly timeoutMs: number;
}

/** A connection that is up, with the streams there. */
export interface OpenSession {
  readonly connection: NatsConnection;
  readonly stream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly inbox: PullInbox;
  readonly ackWaits: AckWaits;
  /** Rejects with a `LinkLostError` when the connection breaks. */
  readonly lost: Promise<never>;
}

/** A connection, whether it is up or not. */
interface Link extends Omit<OpenSession, "ackWaits" | "lost"> {
  up: Promise<void>;
  lost: Promise<never>;
}

const RETRY_PAUSE_MS = 50;
const RECONNECT_WAIT_MS = 250;
const LEAST_MINOR = 9;
/** A message's longest body, with room for what goes around it. */
const LEAST_PAYLOAD = 72 * 1024;

/**
 * Keeps a connection to JetStream. What `run` is given is tried again for as long as its time allows, also over a connection that broke
 * and came back, so it must be such that doing it twice does no harm. Streams and consumers are looked for again after every
 * reconnection: the server that comes back may be an empty one.
 */
export class JetStreamSession {
  readonly #options: SessionOptions;
  readonly #names: WorkNames;
  readonly #onWake: () => void;
  #link: Promise<Link> | undefined;
  #ready: Promise<OpenSession> | undefined;
  #isClosed = false;

  constructor(options: SessionOptions, names: WorkNames, onWake: () => void) {
    this.#options = options;
    this.#names = names;
    this.#onWake = onWake;
  }

  /**
   * @param isOnce whether to give up as soon as the connection breaks
   * @throws SluiceError `unavailable` after `timeoutMs` at the latest
   */
  async run<T>(
    work: (session: OpenSession, leftMs: number) => Promise<T>,
    { isOnce = false } = {},
  ): Promise<T> {
    const { timeoutMs, url, setting } = this.#options;
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      if (this.#isClosed) throw new SluiceError("unavailable", "The queue is closed.");
      const leftMs = Math.max(1, untilMs - performance.now());
      const attempt = async () => {
        const session = await this.#open();
        return await Promise.race([work(session, leftMs), session.lost]);
      };
      try {
        return await withinTime(attempt(), leftMs);
      } catch (thrown) {
        const isLate = performance.now() + RETRY_PAUSE_MS >= untilMs;
        if (isOnce || isLate || this.#isClosed || !isPassing(thrown)) {
          throw toUnavailable(thrown, { where: describeNatsUrl(url), setting });
        }
        // Perhaps a stream was removed.
        if (!(thrown instanceof LinkLostError)) this.#ready = undefined;
        await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
      }
    }
  }

  /** Tells all who wait for work to look again. Lost where there is no connection. */
  async wake(): Promise<void> {
    const link = await this.#link?.catch(() => undefined);
    if (link !== undefined && !link.connection.isClosed()) {
      link.connection.publish(this.#names.wakeSubject);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const link = await this.#link?.catch(() => undefined);
    await link?.connection.close();
  }

  #open(): Promise<OpenSession> {
    if (this.#ready !== undefined) return this.#ready;
    const ready = this.#prepare();
    this.#ready = ready;
    ready.catch(() => {
      if (this.#ready === ready) this.#ready = undefined;
    });
    return ready;
  }

  async #prepare(): Promise<OpenSession> {
    if (this.#link === undefined) {
      const connecting = this.#connect();
      this.#link = connecting;
      connecting.catch(() => {
        if (this.#link === connecting) this.#link = undefined;
      });
    }
    const link = await this.#link;
    await link.up;
    const { lost } = link;
    const ackWaits = await Promise.race([
      prepareStreams(link.manager, this.#names, this.#options),
      lost,
    ]);
    return { ...link, ackWaits, lost };
  }

  async #connect(): Promise<Link> {
    const { timeoutMs } = this.#options;
    const options = { ...this.#options, reconnectWaitMs: RECONNECT_WAIT_MS };
    const connection = await connectNats(options);
    try {
      assertUsable(connection, this.#options);
      const { jetstream, jetstreamManager } = await import("@nats-io/jetstream");
      const { createInbox } = await import("@nats-io/transport-node");
      const link: Link = {
        connection,
        stream: jetstream(connection, { timeout: timeoutMs }),
        manager: await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false }),
        inbox: new PullInbox({
          ...{ connection, stream: this.#names.workStream, createInbox },
          onSilence: () => {
            this.#ready = undefined;
          },
        }),
        ...{ up: Promise.resolve(), lost: new Promise<never>(() => {}) },
      };
      connection.subscribe(this.#names.wakeSubject, { callback: this.#onWake });
      void this.#follow(link);
      return link;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Until the connection is closed for good, by us or because the user is refused. */
  async #follow(link: Link): Promise<void> {
    const arm = () => {
      const broken = Promise.withResolvers<never>();
      broken.promise.catch(() => {});
      link.lost = broken.promise;
      return broken.reject;
    };
    let breakUp = arm();
    let comeBack = () => {};
    const goDown = () => {
      this.#ready = undefined;
      breakUp(new LinkLostError());
      link.inbox.fail(new LinkLostError());
    };
    for await (const { type } of link.connection.status()) {
      if (type === "disconnect") {
        goDown();
        const back = Promise.withResolvers<void>();
        link.up = back.promise;
        comeBack = back.resolve;
      } else if (type === "reconnect") {
        breakUp = arm();
        comeBack();
      }
    }
    this.#link = undefined;
    goDown();
    comeBack();
  }
}

function assertUsable({ info }: NatsConnection, { url, setting }: SessionOptions): void {
  const where = `The server of NATS, ${describeNatsUrl(url)} (${setting}),`;
  const [major = 0, minor = 0] = (info?.version ?? "").split(".").map((part) => Number(part) || 0);
  if (major < 2 || (major === 2 && minor < LEAST_MINOR)) {
    const message = `${where} is of version ${major}.${minor}; take 2.${LEAST_MINOR} or later.`;
    throw new SluiceError("unavailable", message);
  }
  if (info !== undefined && info.max_payload < LEAST_PAYLOAD) {
    const message = `${where} takes messages of at most ${info.max_payload} bytes; set its max_payload to ${LEAST_PAYLOAD} or more.`;
    throw new SluiceError("unavailable", message);
  }
}

async function withinTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
