import { SluiceError, toSluiceError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { Attempt, AttemptCall, RemoteEndpoint } from "./attempt.ts";
import { chooseEndpoint } from "./choose-endpoint.ts";
import { decideEjections } from "./decide-ejections.ts";
import type { EndpointEvent, EndpointHealth, EndpointOutcome } from "./endpoint-health.ts";
import { createEndpointHealth, recordOutcome, stepEndpoint } from "./endpoint-health.ts";
import { judgeFailure } from "./judge-failure.ts";
import type { RemotePoolObserver } from "./remote-pool-observer.ts";
import type { RemotePoolLimits, RemotePoolOptions } from "./remote-pool-options.ts";
import { toPoolLimits } from "./remote-pool-options.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { countRequest, countRetry, EMPTY_BUDGET, isRetryAllowed } from "./retry-budget.ts";
import { runWithin } from "./run-within.ts";

export interface EndpointPoolOptions<Endpoint extends RemoteEndpoint> extends RemotePoolOptions {
  /** At least one. */
  readonly endpoints: readonly Endpoint[];
  readonly clock: Clock;
  /**
   * Asks an ejected endpoint whether it is ready; rejects when it is not. Without it, one request at a time finds out.
   */
  readonly probe?: (endpoint: Endpoint, call: AttemptCall) => Promise<void>;
  readonly observer?: RemotePoolObserver;
}

/** Servers that can answer the same requests, and what is known about each of them. */
export interface EndpointPool<Endpoint> {
  /** How many endpoints get requests at present. */
  readonly healthyEndpoints: number;
  /**
   * Has one request answered: by the endpoint with the least to do, and by another when that one fails in a way that
   * another may not.
   *
   * @param deadlineMs on the pool's clock; nothing is tried after it
   * @throws SluiceError what the last attempt failed with; `unavailable` with `retryAfterMs`, at once, while no endpoint
   * is fit to be asked, and after `close`; `deadline_exceeded`
   */
  run<Answer>(
    attempt: Attempt<Endpoint, Answer>,
    options?: { readonly deadlineMs?: number },
  ): Promise<Answer>;
  /** Stops the probes and lets running requests finish. Idempotent. */
  close(): Promise<void>;
}

/** @throws SluiceError `invalid_argument` without endpoints */
export function createEndpointPool<Endpoint extends RemoteEndpoint>(
  options: EndpointPoolOptions<Endpoint>,
): EndpointPool<Endpoint> {
  if (options.endpoints.length === 0) {
    throw new SluiceError(
      "invalid_argument",
      "A remote model needs the URL of at least one server.",
    );
  }
  return new Pool(options);
}

interface Member<Endpoint> {
  readonly endpoint: Endpoint;
  health: EndpointHealth;
  inFlight: number;
  /** A probe or a trial request is under way. */
  isTried: boolean;
  stopTimer: () => void;
}

/** An endpoint that a request goes to. */
interface Turn<Endpoint> {
  readonly member: Member<Endpoint>;
  /** The request decides whether the endpoint is back. */
  readonly isTrial: boolean;
}

/** Weight of the newest answer in the typical duration. */
const NEWEST_WEIGHT = 0.1;

class Pool<Endpoint extends RemoteEndpoint> implements EndpointPool<Endpoint> {
  readonly #options: EndpointPoolOptions<Endpoint>;
  readonly #limits: RemotePoolLimits;
  readonly #clock: Clock;
  readonly #members: readonly Member<Endpoint>[];
  readonly #running = new Set<Promise<unknown>>();
  readonly #probes = new AbortController();
  #budget: RetryBudget = EMPTY_BUDGET;
  #turn = 0;
  /** Milliseconds that an answer takes, smoothed; less time than this is not worth another attempt. */
  #typicalMs = 0;
  #closing: Promise<void> | undefined;

  constructor(options: EndpointPoolOptions<Endpoint>) {
    this.#options = options;
    this.#clock = options.clock;
    this.#limits = toPoolLimits(options, options.endpoints.length);
    const nowMs = this.#clock.nowMs();
    this.#members = options.endpoints.map((endpoint) => ({
      endpoint,
      health: createEndpointHealth(nowMs),
      inFlight: 0,
      isTried: false,
      stopTimer: () => {},
    }));
  }

  get healthyEndpoints(): number {
    return this.#members.filter(({ health }) => health.state === "healthy").length;
  }

  async run<Answer>(
    attempt: Attempt<Endpoint, Answer>,
    { deadlineMs = Number.POSITIVE_INFINITY }: { readonly deadlineMs?: number } = {},
  ): Promise<Answer> {
    if (this.#closing !== undefined) {
      throw new SluiceError("unavailable", "The connection to the model's servers is closed.");
    }
    const answer = this.#runUntil(attempt, deadlineMs);
    this.#running.add(answer);
    try {
      return await answer;
    } finally {
      this.#running.delete(answer);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    this.#probes.abort();
    for (const { stopTimer } of this.#members) stopTimer();
    await Promise.allSettled(this.#running);
  }

  async #runUntil<Answer>(attempt: Attempt<Endpoint, Answer>, deadlineMs: number): Promise<Answer> {
    this.#budget = countRequest(this.#budget, this.#clock.nowMs());
    const tried = new Map<number, number>();
    let failure: SluiceError | undefined;
    for (let attempts = 1; ; attempts++) {
      const pick = await this.#pick(tried, deadlineMs);
      if (pick === undefined) throw failure ?? this.#toOpenError();
      if (failure !== undefined) {
        this.#options.observer?.retried?.(pick.member.endpoint.url, failure.code);
      }
      const result = await this.#attemptOnce(pick, attempt, deadlineMs);
      if (result.ok) return result.answer;
      failure = result.failure;
      const isLast = attempts >= this.#limits.maxAttempts;
      if (!result.isRetryable || isLast || !this.#hasRoom(deadlineMs)) throw failure;
      // The pool itself put this request at risk, so it does not pay for the way out.
      if (!pick.isTrial && !this.#takeRetry(pick.member, failure)) throw failure;
    }
  }

  /** Takes the endpoint whose turn it is. Nobody is asked a second time without a pause. */
  async #pick(tried: Map<number, number>, deadlineMs: number): Promise<Turn<Endpoint> | undefined> {
    let index = this.#choose(tried);
    if (index !== undefined && tried.has(index)) {
      await this.#wait(deadlineMs);
      index = this.#choose(tried);
    }
    const member = index === undefined ? undefined : this.#members[index];
    if (index === undefined || member === undefined) return undefined;
    this.#turn = (index + 1) % this.#members.length;
    tried.set(index, (tried.get(index) ?? 0) + 1);
    // Taken at once: whoever chooses next, in this turn of the event loop or later, must see it.
    member.inFlight++;
    const isTrial = member.health.state === "probing";
    if (isTrial) member.isTried = true;
    return { member, isTrial };
  }

  #choose(tried: ReadonlyMap<number, number>): number | undefined {
    const hasProbe = this.#options.probe !== undefined;
    const snapshot = this.#members.map(({ health, inFlight, isTried }) => ({
      state: health.state,
      inFlight,
      wantsTrial: health.state === "probing" && !isTried && !hasProbe,
    }));
    return chooseEndpoint(snapshot, tried, this.#turn, this.#limits.maxAttemptsPerEndpoint);
  }

  #hasRoom(deadlineMs: number): boolean {
    return deadlineMs - this.#clock.nowMs() > this.#typicalMs;
  }

  #takeRetry({ endpoint }: Member<Endpoint>, { code }: SluiceError): boolean {
    const nowMs = this.#clock.nowMs();
    const isAllowed = isRetryAllowed(this.#budget, nowMs, this.#limits);
    if (isAllowed) this.#budget = countRetry(this.#budget, nowMs);
    else this.#options.observer?.retryDenied?.(endpoint.url, code);
    return isAllowed;
  }

  #wait(deadlineMs: number): Promise<void> {
    const delayMs = Math.min(this.#limits.retryDelayMs, deadlineMs - this.#clock.nowMs());
    return new Promise((resolve) => {
      this.#clock.setTimer(Math.max(0, delayMs), resolve);
    });
  }

  async #attemptOnce<Answer>(
    { member, isTrial }: Turn<Endpoint>,
    attempt: Attempt<Endpoint, Answer>,
    deadlineMs: number,
  ): Promise<AttemptResult<Answer>> {
    const startedMs = this.#clock.nowMs();
    const timeoutMs = Math.min(this.#limits.attemptTimeoutMs, deadlineMs - startedMs);
    const finish = (outcome: EndpointOutcome, code: string | undefined) => {
      const durationMs = this.#clock.nowMs() - startedMs;
      if (outcome === "answered") {
        this.#typicalMs += NEWEST_WEIGHT * (durationMs - this.#typicalMs);
      }
      member.inFlight--;
      this.#takeOutcome(member, outcome, isTrial);
      this.#options.observer?.attemptFinished?.(member.endpoint.url, durationMs, code);
    };
    try {
      const answer = await runWithin(this.#clock, timeoutMs, (signal) =>
        attempt(member.endpoint, { signal, timeoutMs }),
      );
      finish("answered", undefined);
      return { ok: true, answer };
    } catch (error) {
      const failure = toSluiceError(error);
      const verdict = judgeFailure(failure, timeoutMs === this.#limits.attemptTimeoutMs);
      finish(verdict.outcome, failure.code);
      return { ok: false, failure, isRetryable: verdict.isRetryable };
    }
  }

  #takeOutcome(member: Member<Endpoint>, outcome: EndpointOutcome, wasTrial: boolean): void {
    if (wasTrial) {
      member.isTried = false;
      if (outcome === "unknown") return;
      this.#step(member, outcome === "failed" ? "trialFailed" : "trialSucceeded");
      return;
    }
    // Late news about an endpoint that is out already must not decide its trial.
    if (member.health.state !== "healthy") return;
    const nowMs = this.#clock.nowMs();
    member.health = recordOutcome(member.health, outcome, nowMs, this.#limits);
    if (outcome === "answered" || outcome === "unknown") return;
    const healths = this.#members.map(({ health }) => health);
    for (const index of decideEjections(healths, nowMs, this.#limits)) {
      const ejected = this.#members[index];
      if (ejected !== undefined) this.#step(ejected, "eject");
    }
  }

  #step(member: Member<Endpoint>, event: EndpointEvent): void {
    const from = member.health.state;
    member.health = stepEndpoint(member.health, event, this.#clock.nowMs(), this.#limits);
    const to = member.health.state;
    this.#options.observer?.endpointChanged?.(member.endpoint.url, from, to);
    if (this.#closing !== undefined) return;
    if (to === "ejected") this.#scheduleTrial(member);
    if (to === "probing") this.#startProbe(member);
  }

  #scheduleTrial(member: Member<Endpoint>): void {
    const delayMs = Math.max(0, member.health.retryAtMs - this.#clock.nowMs());
    member.stopTimer = this.#clock.setTimer(delayMs, () => this.#step(member, "coolDownOver"));
  }

  #startProbe(member: Member<Endpoint>): void {
    const { probe } = this.#options;
    if (probe === undefined) return;
    member.isTried = true;
    const timeoutMs = this.#limits.probeTimeoutMs;
    const settle = (event: EndpointEvent) => {
      member.isTried = false;
      if (this.#closing === undefined) this.#step(member, event);
    };
    runWithin(
      this.#clock,
      timeoutMs,
      (signal) => probe(member.endpoint, { signal, timeoutMs }),
      this.#probes.signal,
    ).then(
      () => settle("trialSucceeded"),
      () => settle("trialFailed"),
    );
  }

  /** Nothing is fit to be asked: the circuit is open, and whoever waits for the next trial knows how long. */
  #toOpenError(): SluiceError {
    const nowMs = this.#clock.nowMs();
    const waits = this.#members.map(({ health }) => Math.max(0, health.retryAtMs - nowMs));
    const retryAfterMs = Math.max(1, Math.ceil(Math.min(...waits)));
    const message = `None of the model's ${this.#members.length} servers answers at present; try again later.`;
    return new SluiceError("unavailable", message, { retryAfterMs });
  }
}

type AttemptResult<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  | {
      readonly ok: false;
      readonly failure: SluiceError;
      readonly isRetryable: boolean;
    };
