import type { RequestIdentity } from "../core/releases/assign-version.ts";
import type { Caller } from "./request-context.ts";

/** Names in lower case, as Node gives them; several of one name are one list or one text. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const KEY_PREFIX = "key:";

/** What releases know a request by. Made only when a release asks: hardly any request needs it. */
export function toRequestIdentity(
  requestId: string,
  { id: caller }: Pick<Caller, "id">,
  headers: Headers,
): RequestIdentity {
  const flat = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat.set(name, typeof value === "string" ? value : value.join(", "));
  }
  return {
    requestId,
    caller,
    keyId: caller.startsWith(KEY_PREFIX) ? caller.slice(KEY_PREFIX.length) : null,
    headers: flat,
    cookies: parseCookies(flat.get("cookie") ?? ""),
  };
}

/** `Cookie` of RFC 6265, 4.2.1. Values stay as they were sent; of several of one name the first counts, as browsers order them. */
function parseCookies(header: string): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const part of header.split(";")) {
    const at = part.indexOf("=");
    if (at < 0) continue;
    const name = part.slice(0, at).trim();
    const value = part.slice(at + 1).trim();
    if (name !== "" && !cookies.has(name)) cookies.set(name, value.replace(/^"(.*)"$/, "$1"));
  }
  return cookies;
}
