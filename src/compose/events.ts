import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Config } from "../config/schema.ts";
import { createEvent } from "../core/events/create-event.ts";
import { DEFAULT_RETRY_POLICY } from "../core/events/decide-retry.ts";
import { EventBuffer } from "../core/events/event-buffer.ts";
import type { AuditRecordedData, EventKind } from "../core/events/event-data.ts";
import type { PredictionLog } from "../core/events/prediction-log.ts";
import { createPredictionLog } from "../core/events/prediction-log.ts";
import type { Subscription } from "../core/events/select-destinations.ts";
import { selectDestinations } from "../core/events/select-destinations.ts";
import { createJobEvents } from "../core/jobs/create-job-events.ts";
import type { JobEvents } from "../core/jobs/job-events.ts";
import type { ModelChange } from "../core/models/registry.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { EventDestination } from "../core/ports/event-destination.ts";
import type { OutgoingEvent } from "../core/ports/event-outbox.ts";
import type { Logger } from "../core/ports/logger.ts";
import { createReleaseEvents } from "../core/releases/create-release-events.ts";
import type { ReleaseEvent } from "../core/releases/decision.ts";
import type { Destinations } from "../stores/events/create-destinations.ts";
import { parseGuardedUrl } from "../stores/http/guard-address.ts";
import type { RecordDatabase } from "../stores/records/record-database.ts";
import type { EventRelay } from "../workers/event-relay.ts";
import type { RecordsPart } from "./records-part.ts";

/** The part of the composition root that tells others what happens. */

export interface EventsPart {
  readonly drivers: readonly { readonly port: string; readonly driver: string }[];
  /** What changes of jobs write into the outbox. */
  readonly jobs: JobEvents;
  /** What decisions about releases write into the outbox. */
  readonly releases: (event: ReleaseEvent) => readonly OutgoingEvent[];
  /** Tells that a version of a model came or went. Never waits, never throws. */
  modelChanged(change: ModelChange): void;
  /** Tells what somebody did. Never waits, never throws. */
  audited(data: AuditRecordedData): void;
  /** Tells of answers; undefined where nobody wants to know. */
  readonly logPrediction: PredictionLog | undefined;
  /** @throws SluiceError `invalid_argument` for an address of a caller's that events may not be sent to */
  assertWebhookUrl(url: string): void;
  /** Hands on what waits and ends the attempts that are under way. Before the records are closed. */
  stop(): Promise<void>;
}

export interface EventSurroundings {
  readonly records: RecordsPart;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Events of models, and of what somebody did, that wait while the records cannot be reached. */
const MODEL_EVENTS_KEPT = 1000;
const BUFFERED_AT_ONCE = 500;
const BUFFER_INTERVAL_MS = 250;
/** One receiver that is slow has at most this share of the attempts. */
const RECEIVER_SHARE = 4;
/** What an attempt may need beside its own limit, such as the writing down of its outcome. */
const LEASE_MARGIN_MS = 30_000;

export function createEventsPart(config: Config, surroundings: EventSurroundings): EventsPart {
  const { events } = config;
  const { records, clock, logger } = surroundings;
  const source = `/sluice/${hostname()}`;
  const epochMs = () => clock.epochMs();
  const subscriptions = listSubscriptions(config);
  const destinationsOf = (kind: EventKind) => selectDestinations(kind, subscriptions);
  const createBuffer = (kinds: readonly EventKind[], capacity: number) =>
    kinds.every((kind) => destinationsOf(kind).length === 0)
      ? undefined
      : new EventBuffer({
          capacity,
          batchEvents: BUFFERED_AT_ONCE,
          intervalMs: BUFFER_INTERVAL_MS,
          clock,
          flush: async (batch) => {
            const { appendEvents } = await import("../stores/records/event-outbox.ts");
            const database = await records.open();
            const outgoing = batch.map((event) => ({
              event,
              destinations: destinationsOf(event.type.slice("dev.sluice.".length) as EventKind),
            }));
            const wanted = outgoing.filter(({ destinations }) => destinations.length > 0);
            await database.transact((trx) => appendEvents(trx, wanted));
          },
        });
  const modelEvents = createBuffer(
    ["model.ready", "model.failed", "model.unloaded"],
    MODEL_EVENTS_KEPT,
  );
  const audits = createBuffer(["audit.recorded"], MODEL_EVENTS_KEPT);
  const predictions =
    events.predictionLog === "on"
      ? createBuffer(["prediction.logged"], events.predictionBuffer)
      : undefined;
  if (events.predictionLog === "on" && predictions === undefined) {
    logger.warn(
      "events.predictionLog is on, and no receiver asks for prediction.logged; name it in events.webhooks.",
    );
  }
  const delivery = deliversEvents(config) ? createDelivery(config, surroundings) : undefined;
  return {
    drivers: subscriptions.map(({ destination }) => ({ port: "events", driver: destination })),
    jobs: createJobEvents({ source, epochMs, destinationsOf }),
    releases: createReleaseEvents({ source, destinationsOf }),
    modelChanged: ({ model, version, state, reason }) => {
      const facts = { id: randomUUID(), source, epochMs: epochMs(), subject: `models/${model}` };
      const data = { model, version };
      if (state !== "failed") {
        modelEvents?.offer(createEvent({ kind: `model.${state}`, ...facts, data }));
        return;
      }
      const failed = { ...data, reason: reason ?? "unknown" };
      modelEvents?.offer(createEvent({ kind: "model.failed", ...facts, data: failed }));
    },
    audited: (data) => {
      const facts = { id: randomUUID(), source, epochMs: epochMs(), subject: data.target };
      audits?.offer(createEvent({ kind: "audit.recorded", ...facts, data }));
    },
    logPrediction:
      predictions &&
      createPredictionLog({
        buffer: predictions,
        source,
        epochMs,
        random: Math.random,
        createId: randomUUID,
        sampleRate: events.predictionSampleRate,
      }),
    assertWebhookUrl: (url) => {
      parseGuardedUrl(url, "webhook_url", events);
    },
    stop: async () => {
      await Promise.all([modelEvents?.close(), audits?.close(), predictions?.close()]);
      if (predictions !== undefined && predictions.dropped > 0) {
        logger.warn("Answers were not told, because too many waited.", {
          dropped: predictions.dropped,
        });
      }
      await delivery?.stop();
    },
  };
}

/** Gateways and engines are busy with callers; what they write is sent by workers. */
function deliversEvents({ role }: Config): boolean {
  return role === "all" || role === "worker";
}

function listSubscriptions({ events: { webhooks, natsUrl } }: Config): readonly Subscription[] {
  const named = webhooks.map(({ name, kinds }) => ({ destination: `webhooks.${name}`, kinds }));
  return natsUrl === "" ? named : [...named, { destination: "nats", kinds: undefined }];
}

/** Sends what is in the outbox, from the moment that somebody opens the records. */
function createDelivery(
  config: Config,
  surroundings: EventSurroundings,
): { stop(): Promise<void> } {
  let running: Promise<RunningDelivery | undefined> | undefined;
  const { records, logger } = surroundings;
  records.onOpened((database) => {
    running = startDelivery(config, surroundings, database).catch((thrown: unknown) => {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      logger.error("Events cannot be sent; they stay where they are.", { reason });
      return undefined;
    });
  });
  return {
    stop: async () => {
      const delivery = await running;
      await delivery?.relay.close();
      await delivery?.destinations.close();
    },
  };
}

interface RunningDelivery {
  readonly relay: EventRelay;
  readonly destinations: Destinations;
}

async function startDelivery(
  config: Config,
  { clock, logger }: EventSurroundings,
  database: RecordDatabase,
): Promise<RunningDelivery> {
  const { events } = config;
  const [{ createDestinations }, { createEventOutbox }, { startEventRelay }] = await Promise.all([
    import("../stores/events/create-destinations.ts"),
    import("../stores/records/event-outbox.ts"),
    import("../workers/event-relay.ts"),
  ]);
  const destinations = createDestinations({
    ...events,
    webhooks: events.webhooks.map((webhook) => ({ ...webhook, secrets: webhook.secrets ?? [] })),
    secrets: events.callbackSecrets,
    others: await createOthers(config),
    epochMs: () => clock.epochMs(),
  });
  const relay = startEventRelay({
    outbox: createEventOutbox(database, { epochMs: () => clock.epochMs() }),
    findDestination: destinations.find,
    clock,
    logger,
    random: Math.random,
    policy: { ...DEFAULT_RETRY_POLICY, maxAttempts: events.maxAttempts },
    maxInFlight: events.concurrency,
    maxInFlightPerDestination: Math.ceil(events.concurrency / RECEIVER_SHARE),
    leaseMs: events.timeoutMs + LEASE_MARGIN_MS,
    pollMs: events.pollMs,
  });
  return { relay, destinations };
}

async function createOthers({ events }: Config): Promise<Record<string, EventDestination>> {
  const { natsUrl, natsPrefix, natsMaxAgeMs, timeoutMs } = events;
  if (natsUrl === "") return {};
  const { createNatsDestination } = await import("../stores/events/nats.ts");
  const nats = createNatsDestination({
    url: natsUrl,
    setting: "events.natsUrl",
    connectTimeoutMs: timeoutMs,
    prefix: natsPrefix,
    maxAgeMs: natsMaxAgeMs,
    timeoutMs,
  });
  return { nats };
}
