import { SluiceError } from "../../core/errors.ts";
import type { Caller } from "../request-context.ts";

/**
 * Lets callers go on whose API key is among `keys`; all do where there are none.
 *
 * @param keys ids of API keys @param setting the setting that names them, for who has to change it
 * @returns the id of the caller, for the history
 * @throws SluiceError `permission_denied`
 */
export function assertKeyAllowed(
  caller: Pick<Caller, "id"> | undefined,
  keys: readonly string[],
  setting: string,
): string {
  const id = caller?.id ?? "unknown";
  if (keys.length === 0 || keys.some((key) => id === `key:${key}`)) return id;
  const message = `This key may only look; the setting ${setting} names those that may more.`;
  throw new SluiceError("permission_denied", message);
}
