import { jetstreamManager } from "@nats-io/jetstream";
import { CloudEvent } from "cloudevents";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventDestination } from "../../src/core/ports/event-destination.ts";
import { createNatsDestination } from "../../src/stores/events/nats.ts";
import { connectNats } from "../../src/stores/nats/connect.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { findNatsProblem, startNatsServer } from "../support/nats-server.ts";
import { toSampleEvent } from "../support/sample-event.ts";

const connectTo = (url: string): EventDestination =>
  createNatsDestination({
    ...{ url, setting: "events.natsUrl", connectTimeoutMs: 1000 },
    ...{ prefix: "sluice.events", maxAgeMs: 60_000, timeoutMs: 2000 },
  });

const problem = findNatsProblem();
describe.skipIf(problem !== undefined)(`events to NATS${problem ? ` (${problem})` : ""}`, () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.close());

  test("an event is in the stream once, under its kind, as a CloudEvent that the official package reads", async () => {
    const nats = connectTo(server.url);
    const event = toSampleEvent("job_1-created");
    expect(await nats.send(event, 1)).toEqual({ kind: "delivered" });
    expect(await nats.send(event, 2)).toEqual({ kind: "delivered" });
    await nats.close();
    const url = server.url;
    const connection = await connectNats({ url, setting: "x", connectTimeoutMs: 1000 });
    const manager = await jetstreamManager(connection);
    const { config, state } = await manager.streams.info("SLUICE-EVENTS");
    expect([config.max_age, state.messages]).toEqual([60_000 * 1e6, 1]);
    const last = { last_by_subj: "sluice.events.job.created" };
    const stored = await manager.streams.getMessage("SLUICE-EVENTS", last);
    expect(stored?.header.get("Nats-Msg-Id")).toBe("job_1-created");
    expect(stored?.header.get("content-type")).toBe("application/cloudevents+json");
    expect(new CloudEvent(stored?.json() ?? {}, true).toJSON()).toEqual(event);
    await connection.close();
  });

  test("a server that is down is a failure without the password, and events go on when it is back", async () => {
    const nats = connectTo(server.url);
    expect(await nats.send(toSampleEvent("before"), 1)).toEqual({ kind: "delivered" });
    await server.kill();
    const failed = await nats.send(toSampleEvent("during"), 1);
    expect(failed).toMatchObject({ kind: "failed", isFinal: false });
    const late = connectTo(server.url);
    const refused = await late.send(toSampleEvent("during"), 1);
    expect(refused).toMatchObject({ kind: "failed" });
    expect(JSON.stringify([failed, refused, late.description])).not.toContain("not-a-secret");
    expect(JSON.stringify(refused)).toContain("events.natsUrl");
    await server.restart();
    for (const destination of [nats, late]) {
      let kind = "failed";
      for (let tries = 0; tries < 20 && kind === "failed"; tries++) {
        kind = (await destination.send(toSampleEvent("during"), 2)).kind;
      }
      expect(kind).toBe("delivered");
      await destination.close();
    }
  });
});
