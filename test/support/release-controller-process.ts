import { createReleaseEvents } from "../../src/core/releases/create-release-events.ts";
import { NO_EVIDENCE } from "../../src/core/releases/release-evidence.ts";
import { appendEvents } from "../../src/stores/records/event-outbox.ts";
import { createReleaseStore } from "../../src/stores/records/release-store.ts";
import { createSystemClock } from "../../src/telemetry/system-clock.ts";
import { startReleaseController } from "../../src/workers/release-controller.ts";
import { openRecords } from "./open-records.ts";

/**
 * A release controller in a process of its own, until it is killed. Words: the file or the address of the database, the name of
 * the replica, its lease in milliseconds. Both versions of every release are ready, and there are no hooks.
 */
const [place = "", replica = "", leaseMs = ""] = process.argv.slice(2);
const silent = () => {};
startReleaseController({
  store: createReleaseStore(await openRecords(place), appendEvents),
  clock: createSystemClock(),
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  ...{ replica, leaseMs: Number(leaseMs), pollMs: 20, keepFinished: 100, epochMs: Date.now },
  readHealth: () => ({ ready: { stable: true, candidate: true }, candidateFailure: null }),
  askHooks: async (_release, type) => ({ type, isAccepted: true, detail: null }),
  evidence: {
    // It takes a while, so that many a kill comes in the middle of a decision.
    gather: async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return NO_EVIDENCE;
    },
    canReplay: async () => false,
    replay: async () => {},
  },
  toOutgoing: createReleaseEvents({
    source: "/test",
    destinationsOf: () => ["webhooks.receiver"],
  }),
  decided: silent,
});
// Timers of the system clock keep no process alive.
setInterval(silent, 60_000);
console.log("ready");
