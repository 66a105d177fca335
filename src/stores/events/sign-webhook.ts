import { createHmac } from "node:crypto";

const SECRET = /^whsec_[A-Za-z0-9+/]{24,}={0,2}$/;
const MIN_BYTES = 16;

/** Whether a text is a secret of Standard Webhooks: `whsec_` and base64 of 16 bytes or more, better 24 to 64. */
export function isWebhookSecret(text: string): boolean {
  if (!SECRET.test(text)) return false;
  const key = toKey(text);
  const bare = text.slice("whsec_".length).replace(/=+$/, "");
  return key.length >= MIN_BYTES && key.toString("base64").replace(/=+$/, "") === bare;
}

/** What is signed. */
export interface SignedMessage {
  readonly id: string;
  /** Seconds since the Unix epoch. */
  readonly timestampSeconds: number;
  readonly body: string;
}

/**
 * The header `webhook-signature` of Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks): HMAC-SHA256
 * over id, timestamp and body, one for each secret, so that a receiver may know either the old one or the new.
 */
export function signWebhook(
  { id, timestampSeconds, body }: SignedMessage,
  secrets: readonly string[],
): string {
  return secrets
    .map((secret) => {
      const mac = createHmac("sha256", toKey(secret));
      return `v1,${mac.update(`${id}.${timestampSeconds}.${body}`).digest("base64")}`;
    })
    .join(" ");
}

function toKey(secret: string): Buffer {
  return Buffer.from(secret.slice("whsec_".length), "base64");
}
