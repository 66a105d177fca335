import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, test } from "vitest";
import type { StoredRelease } from "../../src/core/ports/release-store.ts";
import type { HookType, ReleaseHook } from "../../src/core/releases/release-plan.ts";
import { createPlan, DEFAULT_STRATEGY } from "../../src/core/releases/release-plan.ts";
import { createReleaseState } from "../../src/core/releases/release-state.ts";
import { createReleaseHooks } from "../../src/stores/events/release-hooks.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

const SECRET = `whsec_${randomBytes(24).toString("base64")}`;

interface Received {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

let server: ScriptedHttpServer | undefined;
afterEach(() => server?.kill());

/** A receiver that answers with these statuses, the last one again and again; 0 = never. */
async function start(...statuses: number[]) {
  const received: Received[] = [];
  server = await startScriptedHttpServer((request, response, body) => {
    const headers = Object.entries(request.headers).map(([name, value]) => [name, `${value}`]);
    received.push({ headers: Object.fromEntries(headers), body: body.toString() });
    const status = statuses[Math.min(received.length, statuses.length) - 1] ?? 200;
    if (status > 0) response.writeHead(status).end("because");
  });
  return { received, url: `${server.url}/hook` };
}

const toHook = (url: string, type: HookType, more: Partial<ReleaseHook> = {}): ReleaseHook => ({
  ...{ name: "gate", type, url, timeoutMs: 500, retries: 0 },
  ...more,
});

function toRelease(...hooks: ReleaseHook[]): StoredRelease {
  const names = { model: "reviews", candidate: "2.0.0" };
  const basics = { ...names, strategy: DEFAULT_STRATEGY, hasLabels: true, gateSet: null };
  return {
    plan: { ...createPlan(basics), hooks },
    state: {
      ...createReleaseState({ id: "rel_1", stable: "1.0.0", ...names }, 5),
      phase: "waiting_promotion",
    },
    analysis: null,
    revision: 3,
  };
}

const open = (more: { allowHttp?: boolean; allowPrivateAddresses?: boolean } = {}) =>
  createReleaseHooks({
    ...{ allowHttp: true, allowPrivateAddresses: true },
    ...{ secrets: [SECRET], epochMs: Date.now },
    ...more,
  });

describe("a hook", () => {
  test("gets the payload of Flagger, signed so that the official package verifies it", async () => {
    const { received, url } = await start(202);
    const answer = await open().ask(toRelease(toHook(url, "rollout")), "rollout");
    expect(answer).toEqual({ type: "rollout", isAccepted: true, detail: null });
    const [{ headers, body } = { headers: {}, body: "" }] = received;
    expect(new Webhook(SECRET).verify(body, { ...headers })).toMatchObject({
      ...{ name: "reviews", namespace: "sluice", phase: "WaitingPromotion" },
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      metadata: {
        release: "rel_1",
        type: "rollout",
        stable: "1.0.0",
        candidate: "2.0.0",
        weight: "0",
      },
    });
    expect(headers["idempotency-key"]).toBe(headers["webhook-id"]);
  });

  test("is asked again after a failure, under the same id", async () => {
    const { received, url } = await start(500, 200);
    const release = toRelease(toHook(url, "rollout", { retries: 1 }));
    expect((await open().ask(release, "rollout")).isAccepted).toBe(true);
    const ids = received.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  test.each([
    [403, "answered 403"],
    [301, "redirects are not followed"],
    [0, "no answer in 500 ms"],
  ])("that answers %i refuses, with the reason", async (status, reason) => {
    const { url } = await start(status);
    const answer = await open().ask(toRelease(toHook(url, "rollout")), "rollout");
    expect(answer).toMatchObject({ isAccepted: false });
    expect(answer.detail).toMatch(new RegExp(`^gate: .*${reason}`));
  });

  test("of another type is not asked, and one refusal among several is a refusal", async () => {
    const { received, url } = await start(200, 403);
    const release = toRelease(
      toHook(url, "rollout"),
      toHook(url, "rollout", { name: "second" }),
      toHook(url, "post-rollout"),
    );
    expect((await open().ask(release, "rollout")).isAccepted).toBe(false);
    expect(received).toHaveLength(2);
  });

  test("at an address that is not allowed is refused when the plan is made, and never asked", async () => {
    const { received, url } = await start(200);
    const hooks = open({ allowPrivateAddresses: false });
    const release = toRelease(toHook(url, "rollout"));
    expect(() => hooks.assertAddresses(release.plan.hooks)).toThrow(/hooks\[0\]\.url/);
    expect((await hooks.ask(release, "rollout")).isAccepted).toBe(false);
    expect(received).toEqual([]);
  });

  test("that is being asked when the server stops has refused", async () => {
    const { url } = await start(0);
    const hooks = open();
    const asked = hooks.ask(
      toRelease(toHook(url, "rollout", { timeoutMs: 60_000, retries: 5 })),
      "rollout",
    );
    setTimeout(() => hooks.close(), 50);
    expect(await asked).toMatchObject({ isAccepted: false });
  });
});
