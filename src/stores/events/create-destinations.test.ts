import { expect, test } from "vitest";
import type { DestinationOptions } from "./create-destinations.ts";
import { createDestinations } from "./create-destinations.ts";

const create = (more: Partial<DestinationOptions> = {}) =>
  createDestinations({
    webhooks: [{ name: "ops", url: "http://10.0.0.1/secret-path", secrets: [] }],
    ...{ secrets: [], others: {}, timeoutMs: 1000, epochMs: Date.now },
    ...{ allowPrivateAddresses: false, allowHttp: false },
    ...more,
  });

test("the operator's webhooks may be anywhere, and their paths are not shown", () => {
  const { find, descriptions } = create();
  expect(find("webhooks.ops")?.description).toBe("webhook at http://10.0.0.1");
  expect(descriptions).toEqual(["webhook at http://10.0.0.1"]);
  expect(find("webhooks.other")).toBeUndefined();
  expect(find("nats")).toBeUndefined();
});

test("addresses of callers keep the rules", () => {
  const { find } = create();
  expect(find("url:https://example.org/a")?.description).toBe("webhook at https://example.org");
  expect(() => find("url:https://10.0.0.1/")).toThrow("public Internet");
  expect(() => find("url:http://example.org/")).toThrow("https://");
});

test("two webhooks of one name are refused", () => {
  const webhook = { name: "twice", url: "https://example.org/", secrets: [] };
  expect(() => create({ webhooks: [webhook, webhook] })).toThrow("twice");
});
