import type { SluiceError } from "../core/errors.ts";
import type { ErrorEncoder } from "../protocols/error-encoder.ts";
import { encodeError } from "../protocols/native/encode-error.ts";
import type { Route } from "./route.ts";

/** All addresses below `prefix` belong to a protocol, also those where nothing answers. */
export interface ProtocolArea {
  /** e.g. `/v2`: this address and everything below it. */
  readonly prefix: string;
  readonly encodeError: ErrorEncoder;
  /** What the protocol says of an address that it does not have, where it says more than that. */
  readonly describeUnknown?: (method: string, path: string) => SluiceError;
}

/** What is known about an address at which a request found no route. */
export interface AddressFacts {
  /** Methods that it does answer; empty when there is nothing at all. */
  readonly methods: readonly string[];
  readonly encodeError: ErrorEncoder;
  readonly describeUnknown?: ProtocolArea["describeUnknown"];
}

/** Tells who is responsible for an address, so that a wrong one gets its error in the right words. */
export function createAddressBook(
  routes: readonly Route[],
  areas: readonly ProtocolArea[],
): (path: string) => AddressFacts {
  const entries = routes.map((route) => ({ route, pattern: toPattern(route.path) }));
  return (path) => {
    const found = entries.filter(({ pattern }) => pattern.test(path)).map(({ route }) => route);
    const area = areas.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
    return {
      methods: [...new Set(found.map(({ method }) => method))],
      encodeError: found[0]?.encodeError ?? area?.encodeError ?? encodeError,
      ...(area?.describeUnknown === undefined ? {} : { describeUnknown: area.describeUnknown }),
    };
  };
}

function toPattern(path: string): RegExp {
  const source = path
    .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/:\w+/g, "[^/]+")
    .replace(/\*$/, ".*");
  return new RegExp(`^${source}/?$`);
}
