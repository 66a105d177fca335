import { SluiceError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { FaultChange, FaultExchange } from "../ports/fault-exchange.ts";
import { findFaultProblems } from "./check-rule.ts";
import type { ChosenFault } from "./choose-fault.ts";
import { chooseFault } from "./choose-fault.ts";
import type { FaultFacts, FaultRule } from "./fault-rule.ts";

/** Something that happened to a rule. */
export interface FaultNews {
  readonly action: "set" | "removed" | "expired";
  readonly rule: FaultRule;
  /** Id of the caller, or what else did it: `configuration`, `time`. */
  readonly by: string;
}

export interface FaultBookOptions {
  readonly clock: Pick<Clock, "epochMs" | "setTimer">;
  /** Hears of every change that was made here, once; and of those that other processes made never. */
  readonly announce: (news: FaultNews) => void;
  /** Hears the same of changes that came from another process. */
  readonly hear: (news: FaultNews) => void;
  /** The other processes of this machine; undefined when there are none. */
  readonly exchange: FaultExchange | undefined;
}

/** More rules than these nobody can watch over. */
export const MAX_RULES = 100;
const OTHERS = "another process";

interface Entry {
  readonly rule: FaultRule;
  /** Only the process in which a rule was set tells that it expired. */
  readonly isOwn: boolean;
  readonly stopTimer: () => void;
}

/** The rules of this process. It owns them, ends them in time, and tells the other processes of this machine. */
export class FaultBook {
  readonly #entries = new Map<string, Entry>();
  readonly #options: FaultBookOptions;

  constructor(options: FaultBookOptions) {
    this.#options = options;
    options.exchange?.onChange((change) => this.#hear(change));
  }

  /** Whether there is any rule; false spares requests the look. */
  get isActive(): boolean {
    return this.#entries.size > 0;
  }

  /** In the order in which they are tried: the oldest first; a rule that is set again keeps its place. */
  list(): readonly FaultRule[] {
    return [...this.#entries.values()].map(({ rule }) => rule);
  }

  /** @throws SluiceError `not_found` */
  find(name: string): FaultRule {
    const rule = this.#entries.get(name)?.rule;
    if (rule !== undefined) return rule;
    const message = `There is no fault of this name; GET /v1/faults lists what there is.`;
    throw new SluiceError("not_found", message, {
      details: [{ field: "name", problem: "is not that of a fault; it may have expired" }],
    });
  }

  /**
   * Sets a rule, or puts it in the place of the one with its name.
   *
   * @throws SluiceError `invalid_argument` for a rule that cannot work, `conflict` when there are `MAX_RULES`
   */
  set(rule: FaultRule, by: string): void {
    const details = findFaultProblems(rule, this.#options.clock.epochMs());
    const [first] = details;
    if (first !== undefined) {
      const message = `${first.field} ${first.problem}.`;
      throw new SluiceError("invalid_argument", message, { details });
    }
    if (this.#entries.size >= MAX_RULES && !this.#entries.has(rule.name)) {
      const message = `There are ${MAX_RULES} faults; remove one first.`;
      throw new SluiceError("conflict", message);
    }
    this.#put(rule, true);
    this.#options.exchange?.send({ name: rule.name, rule });
    this.#options.announce({ action: "set", rule, by });
  }

  /** Takes a rule that every process has from the start; nobody is told. The rule is known to be fine. */
  load(rule: FaultRule): void {
    this.#put(rule, false);
  }

  /** @throws SluiceError `not_found` */
  remove(name: string, by: string): void {
    const rule = this.find(name);
    this.#drop(name);
    this.#options.exchange?.send({ name, rule: null });
    this.#options.announce({ action: "removed", rule, by });
  }

  /** See `chooseFault`. */
  choose(facts: FaultFacts): ChosenFault | undefined {
    const rules = [...this.#entries.values()].map(({ rule }) => rule);
    return chooseFault(rules, facts, this.#options.clock.epochMs());
  }

  /** Takes all timers back. */
  close(): void {
    for (const { stopTimer } of this.#entries.values()) stopTimer();
    this.#entries.clear();
  }

  #put(rule: FaultRule, isOwn: boolean): void {
    const { clock } = this.#options;
    this.#entries.get(rule.name)?.stopTimer();
    const delayMs = Math.max(0, rule.expiresAtMs - clock.epochMs());
    const stopTimer = clock.setTimer(delayMs, () => this.#expire(rule));
    this.#entries.set(rule.name, { rule, isOwn, stopTimer });
  }

  #expire(rule: FaultRule): void {
    const entry = this.#entries.get(rule.name);
    if (entry?.rule !== rule) return;
    this.#entries.delete(rule.name);
    const news: FaultNews = { action: "expired", rule, by: "time" };
    if (entry.isOwn) this.#options.announce(news);
    else this.#options.hear(news);
  }

  #drop(name: string): void {
    this.#entries.get(name)?.stopTimer();
    this.#entries.delete(name);
  }

  #hear({ name, rule }: FaultChange): void {
    const known = this.#entries.get(name)?.rule;
    if (rule !== null) {
      if (rule.expiresAtMs <= this.#options.clock.epochMs()) return;
      this.#put(rule, false);
      this.#options.hear({ action: "set", rule, by: OTHERS });
      return;
    }
    if (known === undefined) return;
    this.#drop(name);
    this.#options.hear({ action: "removed", rule: known, by: OTHERS });
  }
}
