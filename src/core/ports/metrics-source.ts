/** A server of metrics that is asked for one number at a time. */
export interface MetricsSource {
  readonly description: string;
  /**
   * Asks a query in PromQL about now.
   *
   * @returns the number; null when the answer has none, or is none (NaN)
   * @throws SluiceError `unavailable` when the server cannot be reached in time, `invalid_argument` when it refuses the query or
   * its answer is more than one number
   */
  ask(query: string): Promise<number | null>;
}
