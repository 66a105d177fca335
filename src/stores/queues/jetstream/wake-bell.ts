/** Lets those who sleep be woken, also when the bell rang just before they lay down. */
export class WakeBell {
  readonly #sleepers = new Set<() => void>();
  #rings = 0;

  /** How often it has rung. */
  get rings(): number {
    return this.#rings;
  }

  ring(): void {
    this.#rings++;
    for (const wake of [...this.#sleepers]) wake();
  }

  /** Until it rings or `ms` have passed; not at all when it has rung since there were `rings`. */
  sleep(rings: number, ms: number): Promise<void> {
    if (rings !== this.#rings) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleepers.add(wake);
    });
  }
}
