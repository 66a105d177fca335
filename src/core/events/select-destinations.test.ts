import { expect, test } from "vitest";
import { selectDestinations } from "./select-destinations.ts";

const SUBSCRIPTIONS = [
  { destination: "webhooks.all", kinds: undefined },
  { destination: "webhooks.jobs", kinds: ["job.*"] },
  { destination: "nats", kinds: ["prediction.logged", "job.completed"] },
  { destination: "webhooks.none", kinds: [] },
];

test("each destination gets the kinds that it names, by themselves or by their first word", () => {
  const select = (kind: Parameters<typeof selectDestinations>[0]) =>
    selectDestinations(kind, SUBSCRIPTIONS);
  expect(select("job.completed")).toEqual(["webhooks.all", "webhooks.jobs", "nats"]);
  expect(select("job.failed")).toEqual(["webhooks.all", "webhooks.jobs"]);
  expect(select("model.ready")).toEqual(["webhooks.all"]);
});

test("predictions go only where they are asked for", () => {
  expect(selectDestinations("prediction.logged", SUBSCRIPTIONS)).toEqual(["nats"]);
});
