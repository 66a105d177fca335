/** Crockford's Base32: digits and letters without I, L, O and U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_CHARACTERS = 10;
const RANDOM_CHARACTERS = 16;

export const JOB_ID_PATTERN = /^job_[0-9A-HJKMNP-TV-Z]{26}$/;

/**
 * A name for a job: `job_` and a ULID (https://github.com/ulid/spec: 48 bits of time, 80 of chance), so that ids sort
 * by time of creation.
 *
 * @param epochMs milliseconds since the Unix epoch, below 2^48
 * @param random 16 bytes, of which five bits each are used
 */
export function createJobId(epochMs: number, random: Uint8Array): string {
  let time = "";
  let rest = Math.floor(epochMs);
  for (let i = 0; i < TIME_CHARACTERS; i++) {
    time = `${ALPHABET[rest % 32]}${time}`;
    rest = Math.floor(rest / 32);
  }
  let chance = "";
  for (let i = 0; i < RANDOM_CHARACTERS; i++) chance += ALPHABET[(random[i] ?? 0) % 32];
  return `job_${time}${chance}`;
}
