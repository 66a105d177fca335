/** A server that answers. What else a driver needs to talk to it, it adds. */
export interface RemoteEndpoint {
  /** As configured; names it in metrics and logs. */
  readonly url: string;
}

/** The frame of one attempt. */
export interface AttemptCall {
  /** Aborted when the attempt's time is over: nobody waits for it from then on. */
  readonly signal: AbortSignal;
  /** Milliseconds that the attempt has; > 0. */
  readonly timeoutMs: number;
}

/**
 * Sends one request to one endpoint.
 *
 * @throws SluiceError `unavailable` when the server is not there or not for us now, so that another may answer;
 * anything else passes through to the caller
 */
export type Attempt<Endpoint, Answer> = (endpoint: Endpoint, call: AttemptCall) => Promise<Answer>;
