import { createHash } from "node:crypto";
import type { StoredRelease } from "../../core/ports/release-store.ts";
import type { HookAnswer, ReleaseEvent } from "../../core/releases/decision.ts";
import type { HookType, ReleaseHook } from "../../core/releases/release-plan.ts";
import type { AddressRules, ResolveName } from "../http/guard-address.ts";
import { createGuardedLookup, parseGuardedUrl } from "../http/guard-address.ts";
import { signWebhook } from "./sign-webhook.ts";
import { post } from "./webhook.ts";

export interface ReleaseHookOptions extends AddressRules {
  /** `whsec_…`; one signature each. Without any, nothing is signed. */
  readonly secrets: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: () => number;
  /** How names are resolved; by default as the machine does. */
  readonly resolve?: ResolveName;
}

/** Asks and tells the hooks of releases. */
export interface ReleaseHooks {
  /** Asks all hooks of a type at the same time. Never rejects: a hook that cannot be reached has refused. */
  ask(release: StoredRelease, type: HookType): Promise<HookAnswer>;
  /** Tells hooks of the type `event` of a decision; nobody waits for them. */
  tell(release: StoredRelease, event: ReleaseEvent): void;
  /** @throws SluiceError `invalid_argument` for an address that hooks may not have */
  assertAddresses(hooks: readonly ReleaseHook[]): void;
  /** Ends the questions that are under way: they count as refused. */
  close(): void;
}

const FIRST_WAIT_MS = 1000;

/**
 * Hooks over HTTP, with the payload of Flagger's webhooks (https://docs.flagger.app/usage/webhooks: `name`, `namespace`, `phase`,
 * `checksum`, `metadata` of texts), so that its receivers can be used as they are. Signed as Standard Webhooks wants it; any
 * 2xx is a good answer. `webhook-id` stays the same when a question is asked again.
 */
export function createReleaseHooks(options: ReleaseHookOptions): ReleaseHooks {
  const ends = new Set<() => void>();
  const closing = new AbortController();
  const sendOnce = async (hook: ReleaseHook, id: string, body: string): Promise<string | null> => {
    try {
      const url = parseGuardedUrl(hook.url, "url", options);
      const timestampSeconds = Math.floor(options.epochMs() / 1000);
      const headers = {
        "content-type": "application/json; charset=utf-8",
        "content-length": Buffer.byteLength(body),
        "user-agent": "sluice",
        "idempotency-key": id,
        "webhook-id": id,
        "webhook-timestamp": String(timestampSeconds),
        ...(options.secrets.length > 0 && {
          "webhook-signature": signWebhook({ id, timestampSeconds, body }, options.secrets),
        }),
      };
      const lookup = createGuardedLookup(options, options.resolve);
      const settings = { method: "POST", headers, lookup, agent: false };
      const { timeoutMs } = hook;
      const outcome = await post(url, settings, {
        ...{ body, timeoutMs, epochMs: options.epochMs, ends },
      });
      return outcome.kind === "delivered" ? null : outcome.reason;
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : "it cannot be reached";
    }
  };
  const send = async (hook: ReleaseHook, id: string, body: string): Promise<string | null> => {
    let reason = await sendOnce(hook, id, body);
    for (let attempt = 0; attempt < hook.retries && reason !== null; attempt++) {
      await wait(FIRST_WAIT_MS * 2 ** attempt, closing.signal);
      if (closing.signal.aborted) break;
      reason = await sendOnce(hook, id, body);
    }
    return reason;
  };
  return {
    ask: async (release, type) => {
      const hooks = release.plan.hooks.filter((hook) => hook.type === type);
      const refusals = await Promise.all(
        hooks.map(async (hook) => {
          const reason = await send(hook, toId(release, hook), toBody(release, hook));
          return reason === null ? [] : [`${hook.name}: ${reason}`];
        }),
      );
      const [refusal] = refusals.flat();
      return { type, isAccepted: refusal === undefined, detail: refusal ?? null };
    },
    tell: (release, event) => {
      for (const hook of release.plan.hooks.filter(({ type }) => type === "event")) {
        const id = `${toId(release, hook)}-${event.action}-${event.atMs}`;
        void send(hook, id, toBody(release, hook, event));
      }
    },
    assertAddresses: (hooks) => {
      for (const [at, { url }] of hooks.entries()) {
        parseGuardedUrl(url, `hooks[${at}].url`, options);
      }
    },
    close: () => {
      closing.abort();
      for (const end of [...ends]) end();
    },
  };
}

/** The same for the same question about the same check, whoever asks and how often. */
function toId({ state }: StoredRelease, { name, type }: ReleaseHook): string {
  const { id, revision, phase, checks } = state;
  const hook = createHash("sha256").update(name).digest("hex").slice(0, 12);
  return `${id}-${revision}-${phase}-${checks}-${type}-${hook}`;
}

function toBody({ plan, state }: StoredRelease, hook: ReleaseHook, event?: ReleaseEvent): string {
  const checksum = createHash("sha256")
    .update(JSON.stringify([state.id, state.revision, plan]))
    .digest("hex");
  return JSON.stringify({
    name: state.model,
    namespace: "sluice",
    phase: toFlaggerPhase(state.phase),
    checksum,
    metadata: {
      release: state.id,
      hook: hook.name,
      type: hook.type,
      stable: state.stable,
      candidate: state.candidate,
      step: String(state.step),
      weight: String(state.weight),
      ...(event !== undefined && {
        eventMessage: event.message,
        eventType: event.type,
        timestamp: String(event.atMs),
      }),
    },
  });
}

/** `waiting_promotion` is `WaitingPromotion` there. */
function toFlaggerPhase(phase: string): string {
  return phase.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function wait(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
