import { DEFAULT_RETRY_POLICY } from "../../src/core/events/decide-retry.ts";
import { createDestinations } from "../../src/stores/events/create-destinations.ts";
import { createEventOutbox } from "../../src/stores/records/event-outbox.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";
import { createSystemClock } from "../../src/telemetry/system-clock.ts";
import { startEventRelay } from "../../src/workers/event-relay.ts";

/** A relay in a process of its own, until it is killed. Words: the file of the database, the address of the receiver. */
const [path = "", url = ""] = process.argv.slice(2);
const database = await openSqliteDatabase({ path, busyTimeoutMs: 10_000 });
const silent = () => {};
const { find } = createDestinations({
  webhooks: [{ name: "receiver", url, secrets: [] }],
  ...{ secrets: [], others: {}, timeoutMs: 500, epochMs: Date.now },
  ...{ allowPrivateAddresses: true, allowHttp: true },
});
startEventRelay({
  outbox: createEventOutbox(database, { epochMs: Date.now }),
  findDestination: find,
  clock: createSystemClock(),
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  random: Math.random,
  policy: { ...DEFAULT_RETRY_POLICY, maxAttempts: 1000, baseDelayMs: 20, maxDelayMs: 100 },
  ...{ maxInFlight: 8, maxInFlightPerDestination: 4, leaseMs: 800, pollMs: 20 },
});
// Timers of the system clock keep no process alive.
setInterval(silent, 60_000);
console.log("ready");
