/**
 * Counters and histograms whose hot path is an addition: a child is looked up once, when a model is loaded or a route
 * is first seen, not once per observation. Text format: Prometheus exposition format 0.0.4.
 */

export type Labels = Readonly<Record<string, string>>;

/** A number that only grows. */
export class CounterChild {
  value = 0;

  add(amount: number): void {
    this.value += amount;
  }
}

/** A distribution over fixed upper bounds. */
export class HistogramChild {
  readonly bounds: readonly number[];
  /** One count per bound and one for everything above; not cumulative. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > (this.bounds[i] ?? 0)) i++;
    this.counts[i] = (this.counts[i] ?? 0) + 1;
    this.sum += value;
  }
}

/** All children of one metric name. */
class Family<Child> {
  readonly #create: () => Child;
  readonly #children = new Map<string, { readonly labels: string; readonly child: Child }>();

  constructor(create: () => Child) {
    this.#create = create;
  }

  /** The child for these label values; always the same object. */
  child(labels: Labels): Child {
    const text = formatLabels(labels);
    const known = this.#children.get(text);
    if (known !== undefined) return known.child;
    const child = this.#create();
    this.#children.set(text, { labels: text, child });
    return child;
  }

  protected *entries(): Generator<{ labels: string; child: Child }> {
    yield* this.#children.values();
  }
}

export class CounterFamily extends Family<CounterChild> {
  readonly #name: string;
  readonly #help: string;

  constructor(name: string, help: string) {
    super(() => new CounterChild());
    this.#name = name;
    this.#help = help;
  }

  render(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} counter`];
    for (const { labels, child } of this.entries()) {
      lines.push(`${this.#name}${wrap(labels)} ${child.value}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

export class HistogramFamily extends Family<HistogramChild> {
  readonly #name: string;
  readonly #help: string;

  constructor(name: string, help: string, bounds: readonly number[]) {
    super(() => new HistogramChild(bounds));
    this.#name = name;
    this.#help = help;
  }

  render(): string {
    const name = this.#name;
    const lines = [`# HELP ${name} ${this.#help}`, `# TYPE ${name} histogram`];
    for (const { labels, child } of this.entries()) {
      const separator = labels === "" ? "" : ",";
      let count = 0;
      for (const [i, bound] of [...child.bounds, "+Inf"].entries()) {
        count += child.counts[i] ?? 0;
        lines.push(`${name}_bucket{${labels}${separator}le="${bound}"} ${count}`);
      }
      lines.push(
        `${name}_sum${wrap(labels)} ${child.sum}`,
        `${name}_count${wrap(labels)} ${count}`,
      );
    }
    return `${lines.join("\n")}\n`;
  }
}

function wrap(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function formatLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(",");
}

function escapeValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
