import type { NatsConnection } from "@nats-io/transport-node";
import { SluiceError } from "../../core/errors.ts";

export interface NatsOptions {
  /** `nats://user:password@host:port`; `tls://` for TLS. */
  readonly url: string;
  /** Name of the setting that has it, for messages. */
  readonly setting: string;
  readonly connectTimeoutMs: number;
  /** How long to wait before each attempt to connect again; two seconds unless it is told. */
  readonly reconnectWaitMs?: number;
}

/**
 * Connects to a server of NATS; afterwards the connection comes back by itself.
 *
 * @throws SluiceError `unavailable` that names the setting, when it cannot be reached or refuses the user
 */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const { url, setting, connectTimeoutMs, reconnectWaitMs } = options;
  const { AuthorizationError, connect } = await import("@nats-io/transport-node");
  try {
    const { username, password, host, protocol } = new URL(url);
    const user = decodeURIComponent(username);
    const pass = decodeURIComponent(password);
    const login = pass === "" ? { token: user } : { user, pass };
    return await connect({
      servers: `${protocol}//${host}`,
      ...(user !== "" && login),
      ...(protocol === "tls:" && { tls: {} }),
      name: "sluice",
      timeout: connectTimeoutMs,
      maxReconnectAttempts: -1,
      ...(reconnectWaitMs !== undefined && { reconnectTimeWait: reconnectWaitMs }),
    });
  } catch (cause) {
    const where = `The server of NATS, ${describeNatsUrl(url)},`;
    const message =
      cause instanceof AuthorizationError
        ? `${where} refuses the user; set ${setting} to the right user and password.`
        : `${where} cannot be reached; start it, or set ${setting} to the right address, user and password.`;
    throw new SluiceError("unavailable", message, { cause });
  }
}

/** Where the server is; never the user or the password. */
export function describeNatsUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "address unreadable";
}
