import { InvalidArgumentError } from "commander";

/** Reads a whole number from a flag. */
export function parseWhole(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(text);
}

/** Reads a whole number of zero or more from a flag. */
export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidArgumentError("Expected a whole number, 0 or more.");
  return Number(text);
}

/** Reads a number from a flag, e.g. `0.5` or `1e-6`. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new InvalidArgumentError("Expected a number.");
  }
  return value;
}

/** Reads a share from 0 to 0.5 from a flag. */
export function parseFraction(text: string): number {
  const value = parseNumber(text);
  if (value < 0 || value > 0.5) throw new InvalidArgumentError("Expected a share from 0 to 0.5.");
  return value;
}
