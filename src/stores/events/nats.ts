import type { JetStreamClient } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { SluiceError } from "../../core/errors.ts";
import type { DeliveryOutcome, EventDestination } from "../../core/ports/event-destination.ts";
import type { NatsOptions } from "../nats/connect.ts";
import { connectNats, describeNatsUrl } from "../nats/connect.ts";
import { toStreamName } from "../nats/stream-name.ts";

export interface NatsDestinationOptions extends NatsOptions {
  /** First words of the subjects, e.g. `sluice.events`. */
  readonly prefix: string;
  /** How long the stream keeps events, when it is made here. */
  readonly maxAgeMs: number;
  /** For an attempt as a whole, the connection included where there is none. */
  readonly timeoutMs: number;
}

const NANOS_PER_MS = 1_000_000;
const TYPE_PREFIX = "dev.sluice.";
/** JetStream's code for a stream that is not there. */
const STREAM_NOT_FOUND = 10_059;

/**
 * Publishes events to JetStream under `<prefix>.<kind>`, e.g. `sluice.events.job.completed`. Structured mode, the only one that the
 * released NATS binding of CloudEvents (1.0.2) knows: the payload is the event as JSON, and a header says so. `Nats-Msg-Id` is
 * the event's id, by which the stream passes over what it has got lately. The stream is made when it is missing; one that is there stays
 * as it is. Nothing is connected before the first event.
 */
export function createNatsDestination(options: NatsDestinationOptions): EventDestination {
  const { prefix, timeoutMs, url } = options;
  let opening: Promise<Open> | undefined;
  let isClosed = false;
  const open = () => {
    opening ??= openStream(options).catch((error: unknown) => {
      // The next attempt connects again.
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    description: `NATS JetStream, ${describeNatsUrl(url)}, ${prefix}.>`,
    send: async (event): Promise<DeliveryOutcome> => {
      if (isClosed) return toFailure("the server is stopping");
      try {
        const { headers } = await import("@nats-io/transport-node");
        const own = headers();
        own.set("content-type", "application/cloudevents+json");
        const subject = `${prefix}.${event.type.slice(TYPE_PREFIX.length)}`;
        const publish = async () => {
          const { stream } = await open();
          const payload = JSON.stringify(event);
          await stream.publish(subject, payload, {
            ...{ msgID: event.id, headers: own, timeout: timeoutMs, retries: 0 },
          });
        };
        await withinTime(publish(), timeoutMs);
        return { kind: "delivered" };
      } catch (thrown) {
        if (thrown instanceof SluiceError) return toFailure(thrown.message);
        const name = thrown instanceof Error ? thrown.name : "unknown";
        return toFailure(`the server of NATS did not take it (${name})`);
      }
    },
    close: async () => {
      isClosed = true;
      const opened = await opening?.catch(() => undefined);
      await opened?.connection.close();
    },
  };
}

interface Open {
  readonly connection: NatsConnection;
  readonly stream: JetStreamClient;
}

async function openStream(options: NatsDestinationOptions): Promise<Open> {
  const { prefix, maxAgeMs, timeoutMs } = options;
  const connection = await connectNats(options);
  try {
    const { jetstream, jetstreamManager, JetStreamApiError } = await import("@nats-io/jetstream");
    const manager = await jetstreamManager(connection, { timeout: timeoutMs });
    const name = toStreamName(prefix);
    try {
      await manager.streams.info(name);
    } catch (thrown) {
      if (!(thrown instanceof JetStreamApiError) || thrown.code !== STREAM_NOT_FOUND) throw thrown;
      const max_age = maxAgeMs * NANOS_PER_MS;
      await manager.streams.add({ name, subjects: [`${prefix}.>`], max_age });
    }
    return { connection, stream: jetstream(connection, { timeout: timeoutMs }) };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function withinTime(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `The server of NATS did not answer in ${timeoutMs} ms.`;
    timer = setTimeout(() => reject(new SluiceError("unavailable", message)), timeoutMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function toFailure(reason: string): DeliveryOutcome {
  return { kind: "failed", reason, isFinal: false, retryAfterMs: undefined };
}
