import type { LookupAddress } from "node:dns";
import { lookup as lookupName } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { BlockList, isIP } from "node:net";
import { SluiceError } from "../../core/errors.ts";

/**
 * What keeps callers who may name an address from making the server call what only it can reach. For webhooks and for
 * addresses from which rows are fetched.
 */

export interface AddressRules {
  /** Also addresses that only this machine or this network can reach. */
  readonly allowPrivateAddresses: boolean;
  /** Also http://, which anybody on the way can read. */
  readonly allowHttp: boolean;
}

/** All addresses of a name. Rejects when there is none. */
export type ResolveName = (name: string) => Promise<readonly LookupAddress[]>;

const MAX_URL_CHARACTERS = 2048;

/**
 * IPv4 that is not the public Internet: the special-purpose registry of IANA (RFC 6890 and its updates), and the address at
 * which Azure answers its machines about themselves.
 */
const PRIVATE_IPV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["168.63.129.16", 32],
];

/** Inside 2000::/3, which alone is public: addresses that carry an IPv4 one (Teredo, 6to4), and those of examples. */
const PRIVATE_IPV6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const PRIVATE = createBlockList([], PRIVATE_IPV4, PRIVATE_IPV6);
const GLOBAL_IPV6 = createBlockList([["2000::", 3]], [], []);

/** Whether anybody on the Internet could reach an address. IPv4 in the clothes of IPv6 is not public, whatever it is. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !PRIVATE.check(address, "ipv4");
  if (family !== 6 || address.includes("%")) return false;
  return GLOBAL_IPV6.check(address, "ipv6") && !PRIVATE.check(address, "ipv6");
}

/**
 * Reads an address that a caller named. A name is not resolved yet: that is done for each connection, by
 * `createGuardedLookup`.
 *
 * @param field what the caller knows it as, such as `webhook_url`
 * @throws SluiceError `invalid_argument` that names the field and the fix
 */
export function parseGuardedUrl(text: string, field: string, rules: AddressRules): URL {
  const refuse = (problem: string) =>
    new SluiceError("invalid_argument", `${field} ${problem}.`, { details: [{ field, problem }] });
  if (text.length > MAX_URL_CHARACTERS) {
    throw refuse(`must have at most ${MAX_URL_CHARACTERS} characters`);
  }
  if (!URL.canParse(text)) throw refuse("must be an address such as https://example.org/path");
  const url = new URL(text);
  const isHttp = url.protocol === "http:" && rules.allowHttp;
  if (url.protocol !== "https:" && !isHttp) {
    throw refuse(`must begin with ${rules.allowHttp ? "http:// or https://" : "https://"}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse("must have no user and password");
  }
  const address = toAddress(url);
  if (address !== undefined && !rules.allowPrivateAddresses && !isPublicAddress(address)) {
    throw refuse("must be an address on the public Internet");
  }
  return url;
}

/** The address that a URL names, without the brackets of IPv6; undefined when it names a host. */
export function toAddress({ hostname }: URL): string | undefined {
  const bare = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : bare;
}

/** A name that has an address that is not public. */
export class AddressRefusedError extends Error {
  constructor() {
    super("the name of its host has an address that is not public");
    this.name = "AddressRefusedError";
  }
}

/**
 * What a connection is to resolve its name with: it gets exactly the addresses that were checked, so that a name cannot
 * change its meaning between the check and the connection. One address that is not public is enough to refuse the name.
 * The error is an `AddressRefusedError`.
 */
export function createGuardedLookup(
  { allowPrivateAddresses }: Pick<AddressRules, "allowPrivateAddresses">,
  resolve: ResolveName = (name) => lookupName(name, { all: true }),
): LookupFunction {
  return (name, options, callback) => {
    resolve(name).then(
      (found) => {
        const isRefused =
          !allowPrivateAddresses && !found.every(({ address }) => isPublicAddress(address));
        const [first] = found;
        if (isRefused || first === undefined) callback(new AddressRefusedError(), "");
        else if (options.all === true) callback(null, [...found]);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, ""),
    );
  };
}

function createBlockList(
  wide: readonly (readonly [string, number])[],
  ipv4: readonly (readonly [string, number])[],
  ipv6: readonly (readonly [string, number])[],
): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of ipv4) list.addSubnet(net, prefix, "ipv4");
  for (const [net, prefix] of [...wide, ...ipv6]) list.addSubnet(net, prefix, "ipv6");
  return list;
}
