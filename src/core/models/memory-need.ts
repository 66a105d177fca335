import { SluiceError } from "../errors.ts";

/**
 * What a session of ONNX Runtime takes beside the file: weights are read, rearranged and held. Measured with the shipped
 * transformer, whose file of 24 MB costs 60 MB, and rounded up.
 */
const BYTES_PER_MODEL_BYTE = 2.5;
const FIXED_BYTES = 16 * 1024 * 1024;
const MB = 1024 * 1024;

/** How much memory loading a model takes at least, in bytes: one session; more workers take as much each. */
export function estimateMemory(modelBytes: number): number {
  return modelBytes === 0 ? 0 : Math.ceil(FIXED_BYTES + BYTES_PER_MODEL_BYTE * modelBytes);
}

/**
 * Refuses to load what there is no room for: a process that takes more memory than there is gets killed, with all that it
 * serves.
 *
 * @param freeBytes what may still be taken @param reserveBytes what must stay free; 0 = do not look
 * @throws SluiceError `unavailable` with the numbers and the fix
 */
export function assertRoom(modelBytes: number, freeBytes: number, reserveBytes: number): void {
  const needed = estimateMemory(modelBytes);
  if (reserveBytes === 0 || needed === 0 || needed + reserveBytes <= freeBytes) return;
  const [need, free, reserve] = [needed, freeBytes, reserveBytes].map((bytes) =>
    Math.ceil(bytes / MB),
  );
  const message = `There is no room for it: it needs about ${need} MB, ${free} MB are free, and ${reserve} MB are to stay so (models.memoryReserveMb); unload another version, or give the process more memory.`;
  throw new SluiceError("unavailable", message);
}
