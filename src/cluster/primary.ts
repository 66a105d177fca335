import type { Worker } from "node:cluster";
import cluster from "node:cluster";
import type { Logger } from "../core/ports/logger.ts";
import type { FaultMessage, MemberMessage, PrimaryMessage } from "./messages.ts";

export interface PrimaryOptions {
  /** Processes to keep running; at least 1. */
  readonly processes: number;
  readonly logger: Logger;
  /** Receives the start screen, once all processes serve. */
  readonly write: (screen: string) => void;
}

/** The primary process: it serves nothing itself. */
export interface Primary {
  /** Asks every process to drain. Resolves with the worst exit code. */
  stop(): Promise<number>;
  /** Settles when all processes have ended, whatever the reason; the worst exit code. */
  readonly ended: Promise<number>;
}

/** A process that does not answer in time is left out of a page of metrics. */
const COLLECT_TIMEOUT_MS = 1000;
/** How long to wait before a process that died is replaced, doubled with every death in a row. */
const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 5000;
const QUIET_MS = 10_000;

/**
 * Starts this program several times over, all on the same port, and keeps that many running. The kernel spreads
 * connections (`SCHED_NONE`), which here is faster than handing them round.
 *
 * A process that ends before it ever served brings all down: the next one would fail in the same way.
 */
export function startPrimary(options: PrimaryOptions): Primary {
  const primary = new ProcessKeeper(options);
  primary.start();
  return primary;
}

/** How a process ended. */
interface Death {
  readonly served: boolean;
  readonly exitCode: number;
  readonly signal: string | null;
  readonly lifeMs: number;
}

interface Collection {
  readonly asker: Worker;
  readonly askerId: number;
  readonly texts: string[];
  readonly awaited: Set<Worker>;
  readonly timer: NodeJS.Timeout;
}

class ProcessKeeper implements Primary {
  readonly ended: Promise<number>;
  readonly #options: PrimaryOptions;
  readonly #resolveEnded: (exitCode: number) => void;
  readonly #members = new Set<Worker>();
  readonly #ready = new Set<Worker>();
  readonly #collections = new Map<number, Collection>();
  /** Those that still hold, by name, for processes that start later. */
  readonly #faults = new Map<string, FaultMessage>();
  #nextCollection = 0;
  #deathsInARow = 0;
  #screen: string | undefined;
  #shown = false;
  #stopping = false;
  #exitCode = 0;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  start(): void {
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    for (let i = 0; i < this.#options.processes; i++) this.#fork();
  }

  async stop(): Promise<number> {
    this.#stopping = true;
    for (const member of this.#members) member.process.kill("SIGTERM");
    return await this.ended;
  }

  #fork(): void {
    const member = cluster.fork();
    const startedMs = performance.now();
    this.#members.add(member);
    member.on("message", (message: MemberMessage) => this.#hear(member, message));
    member.on("exit", (code, signal) => {
      this.#forget(member);
      const served = this.#ready.delete(member);
      const exitCode = code ?? 1;
      if (!this.#stopping) {
        const lifeMs = performance.now() - startedMs;
        this.#replace(member, { served, exitCode, signal, lifeMs });
      }
      // One that was still starting when it was told to stop had nothing to lose.
      else if (served) this.#exitCode = Math.max(this.#exitCode, exitCode);
      if (this.#stopping && this.#members.size === 0) this.#resolveEnded(this.#exitCode);
    });
  }

  #replace(member: Worker, { served, exitCode, signal, lifeMs }: Death): void {
    if (!served && !this.#shown) {
      this.#exitCode = Math.max(1, exitCode);
      void this.stop();
      return;
    }
    this.#deathsInARow = lifeMs > QUIET_MS ? 1 : this.#deathsInARow + 1;
    const delayMs = Math.min(FIRST_RESTART_MS * 2 ** (this.#deathsInARow - 1), MAX_RESTART_MS);
    this.#options.logger.error("A serving process ended and is replaced.", {
      pid: member.process.pid,
      exitCode,
      signal,
      delayMs,
    });
    setTimeout(() => {
      if (!this.#stopping) this.#fork();
    }, delayMs);
  }

  #hear(member: Worker, message: MemberMessage): void {
    if (message.kind === "ready") this.#becomeReady(member, message.screen);
    else if (message.kind === "collect") this.#collect(member, message.id);
    else if (message.kind === "metrics") this.#gather(member, message.id, message.text);
    else {
      if (message.kind === "fault") this.#keepFault(message);
      for (const other of this.#ready) if (other !== member) send(other, message);
    }
  }

  #keepFault(message: FaultMessage): void {
    const { name, rule } = message.change;
    if (rule === null) this.#faults.delete(name);
    else this.#faults.set(name, message);
    for (const [known, { change }] of this.#faults) {
      if ((change.rule?.expiresAtMs ?? 0) <= Date.now()) this.#faults.delete(known);
    }
  }

  #becomeReady(member: Worker, screen: string): void {
    this.#ready.add(member);
    for (const message of this.#faults.values()) send(member, message);
    this.#screen ??= screen;
    if (this.#shown || this.#ready.size < this.#options.processes) return;
    this.#shown = true;
    this.#options.write(this.#screen);
  }

  #collect(asker: Worker, askerId: number): void {
    const id = this.#nextCollection++;
    const timer = setTimeout(() => this.#finish(id), COLLECT_TIMEOUT_MS);
    this.#collections.set(id, { asker, askerId, texts: [], awaited: new Set(this.#ready), timer });
    for (const member of this.#ready) send(member, { kind: "render", id });
  }

  #gather(member: Worker, id: number, text: string): void {
    const collection = this.#collections.get(id);
    if (collection === undefined || !collection.awaited.delete(member)) return;
    collection.texts.push(text);
    if (collection.awaited.size === 0) this.#finish(id);
  }

  #finish(id: number): void {
    const collection = this.#collections.get(id);
    if (collection === undefined) return;
    this.#collections.delete(id);
    clearTimeout(collection.timer);
    const { asker, askerId, texts } = collection;
    send(asker, { kind: "collected", id: askerId, texts });
  }

  #forget(member: Worker): void {
    this.#members.delete(member);
    for (const [id, { awaited }] of this.#collections) {
      if (awaited.delete(member) && awaited.size === 0) this.#finish(id);
    }
  }
}

function send(member: Worker, message: PrimaryMessage): void {
  if (member.isConnected()) member.send(message);
}
