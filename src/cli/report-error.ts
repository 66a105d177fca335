import { ConfigError } from "../config/config-error.ts";
import { SluiceError } from "../core/errors.ts";

/** Ends the program with a message that says what to do. Stack traces are for bugs only. */
export function reportAndExit(thrown: unknown): never {
  if (thrown instanceof ConfigError || thrown instanceof SluiceError) {
    console.error(`sluice: ${thrown.message}`);
    if (thrown instanceof SluiceError && thrown.code === "internal") console.error(thrown.cause);
  } else if (isSystemError(thrown)) {
    console.error(`sluice: ${describeSystemError(thrown)}`);
  } else {
    console.error("sluice: this is a bug:", thrown);
  }
  process.exit(1);
}

interface SystemError extends Error {
  readonly code: string;
  readonly port?: number;
  readonly address?: string;
}

function isSystemError(thrown: unknown): thrown is SystemError {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string";
}

function describeSystemError(error: SystemError): string {
  const where = `${error.address ?? ""}:${error.port ?? ""}`;
  if (error.code === "EADDRINUSE") {
    return `something listens on ${where} already; choose another port with --server.port.`;
  }
  if (error.code === "EACCES" && error.port !== undefined) {
    return `this user may not listen on ${where}; choose a port above 1023 with --server.port.`;
  }
  if (error.code === "EADDRNOTAVAIL") {
    return `this machine has no address ${where}; choose another with --server.host.`;
  }
  return error.message;
}
