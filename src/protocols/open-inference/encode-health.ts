/**
 * Body of the answers about the server's health. Some clients read `live` and some `ready`, whatever they asked, and
 * others the status alone.
 */
export function encodeHealth(isReady: boolean): string {
  return `{"live":true,"ready":${isReady}}`;
}

/** Body of the answer about a model's readiness. */
export function encodeModelReady(name: string, isReady: boolean): string {
  return JSON.stringify({ name, ready: isReady });
}
