import type { LookupAddress } from "node:dns";
import { expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { createGuardedLookup, isPublicAddress, parseGuardedUrl } from "./guard-address.ts";

const STRICT = { allowPrivateAddresses: false, allowHttp: false };

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "100.100.100.200",
  "127.0.0.1",
  "127.255.255.254",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.192",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:8.8.8.8",
  "::7f00:1",
  "64:ff9b::a9fe:a9fe",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "not an address",
  "",
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["8.8.8.8", "1.1.1.1", "172.32.0.1", "192.0.1.1", "2606:4700:4700::1111", "2a00::1"])(
  "%s is public",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  "http://example.org/",
  "ftp://example.org/",
  "file:///etc/passwd",
  "hook.test/path",
  "",
  "https://",
  "https://user:pass@example.org/",
  "https://127.0.0.1/",
  "https://2130706433/",
  "https://0x7f.1/",
  "https://0177.0.0.1/",
  "https://127.1/",
  "https://[::1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[fd00:ec2::254]/latest",
  "https://169.254.169.254/latest/meta-data",
  `https://example.org/${"a".repeat(3000)}`,
])("the address %s is refused with its field", (text) => {
  const parse = () => parseGuardedUrl(text, "webhook_url", STRICT);
  expect(parse).toThrow(SluiceError);
  try {
    parse();
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid_argument", details: [{ field: "webhook_url" }] });
    if (text.length > 8) expect(String(error)).not.toContain(text);
  }
});

test("addresses on the public Internet pass, and others where they are allowed", () => {
  expect(parseGuardedUrl("https://example.org/a?b", "u", STRICT).href).toBe(
    "https://example.org/a?b",
  );
  expect(parseGuardedUrl("https://8.8.8.8/", "u", STRICT).hostname).toBe("8.8.8.8");
  const loose = { allowPrivateAddresses: true, allowHttp: true };
  expect(parseGuardedUrl("http://[::1]:80/", "u", loose).hostname).toBe("[::1]");
});

const resolveTo = (...addresses: readonly string[]) =>
  addresses.map((address): LookupAddress => ({ address, family: address.includes(":") ? 6 : 4 }));

function look(found: readonly LookupAddress[], all: boolean) {
  const lookup = createGuardedLookup({ allowPrivateAddresses: false }, async () => found);
  return new Promise((resolve, reject) => {
    lookup("name", { all }, (error, address, family) =>
      error ? reject(error) : resolve(all ? address : [address, family]),
    );
  });
}

test("a name with one address that is not public is refused", async () => {
  await expect(look(resolveTo("8.8.8.8", "10.0.0.1"), true)).rejects.toThrow("not public");
  await expect(look(resolveTo("::ffff:127.0.0.1"), false)).rejects.toThrow("not public");
  await expect(look([], false)).rejects.toThrow();
});

test("a connection gets the addresses that were checked, in either form", async () => {
  const found = resolveTo("8.8.8.8", "2606:4700::1");
  expect(await look(found, true)).toEqual(found);
  expect(await look(found, false)).toEqual(["8.8.8.8", 4]);
});
