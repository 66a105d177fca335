import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { isWebhookSecret, signWebhook } from "./sign-webhook.ts";

test("whatever the body and the secret, the official package verifies the signature, and no other body's", () => {
  const bytes = fc.uint8Array({ minLength: 24, maxLength: 64 });
  fc.assert(
    fc.property(fc.json(), bytes, bytes, (body, one, other) => {
      const secrets = [one, other].map((key) => `whsec_${Buffer.from(key).toString("base64")}`);
      expect(secrets.every(isWebhookSecret)).toBe(true);
      const timestampSeconds = Math.floor(Date.now() / 1000);
      const headers = {
        "webhook-id": "job_1-created",
        "webhook-timestamp": String(timestampSeconds),
        "webhook-signature": signWebhook({ id: "job_1-created", timestampSeconds, body }, secrets),
      };
      for (const secret of secrets) {
        expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
        expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow();
      }
    }),
    { numRuns: 200 },
  );
});
