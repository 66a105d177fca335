import { BlockList, isIP } from "node:net";

/** Whether `host` is reachable from this machine only. Names other than `localhost` are taken to be public. */
export function isLoopbackHost(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (address.toLowerCase() === "localhost") return true;
  const family = isIP(address);
  if (family === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8, "ipv4");
  loopback.addAddress("::1", "ipv6");
  return loopback.check(address, family === 6 ? "ipv6" : "ipv4");
}
