import { createHash, createHmac } from "node:crypto";

/** What a signature of AWS is made of, computed by itself, to hold the one of a request against. */
export interface SignedParts {
  readonly method: string;
  /** As it came, encoded. */
  readonly path: string;
  /** Without the question mark, as it came. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly secretAccessKey: string;
}

const hmac = (key: string | Buffer, text: string) =>
  createHmac("sha256", key).update(text).digest();
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/**
 * The signature that a request must have (AWS General Reference, "Create a signed AWS API request").
 *
 * @param authorization of the request; says which headers were signed, and for whom
 */
export function computeSignature(authorization: string, parts: SignedParts): string {
  const [, scope = ""] = /Credential=[^/]+\/([^,]+)/.exec(authorization) ?? [];
  const [, names = ""] = /SignedHeaders=([^,]+)/.exec(authorization) ?? [];
  const { headers, secretAccessKey } = parts;
  const canonicalHeaders = names
    .split(";")
    .map((name) => `${name}:${(headers[name] ?? "").trim().replace(/\s+/g, " ")}\n`)
    .join("");
  const query = parts.query.split("&").filter(Boolean).map(completePair).sort().join("&");
  const canonical = [
    parts.method,
    parts.path,
    query,
    canonicalHeaders,
    names,
    headers["x-amz-content-sha256"] ?? "",
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", headers["x-amz-date"] ?? "", scope, sha256(canonical)].join(
    "\n",
  );
  const [date = "", region = "", service = ""] = scope.split("/");
  const dateKey = hmac(`AWS4${secretAccessKey}`, date);
  const key = hmac(hmac(hmac(dateKey, region), service), "aws4_request");
  return hmac(key, toSign).toString("hex");
}

function completePair(pair: string): string {
  return pair.includes("=") ? pair : `${pair}=`;
}
