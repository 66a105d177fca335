/** Kinds of personal data that are recognised by their form. Names of people are not: that takes a model. */
export const MASKED_KINDS = [
  "URL",
  "EMAIL",
  "IBAN",
  "CARD",
  "NATIONAL_ID",
  "PHONE",
  "IP_ADDRESS",
  "NUMBER",
] as const;
export type MaskedKind = (typeof MASKED_KINDS)[number];

interface MaskRule {
  readonly kind: MaskedKind;
  /** Global; without nested repetition, so that no text makes it slow. */
  readonly pattern: RegExp;
  /** Whether what the pattern found is what it looks like; e.g. a checksum. */
  readonly accept?: (found: string) => boolean;
}

/** In the order in which they are tried: what an earlier one took is gone for the later ones. */
const RULES: readonly MaskRule[] = [
  { kind: "URL", pattern: /\b(?:https?|ftp|wss?):\/\/[^\s<>"'，。；]{1,2048}/giu },
  // RFC 5322 allows more; this is what addresses look like that people write.
  {
    kind: "EMAIL",
    pattern: /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu,
  },
  // ISO 13616: country, two check digits, 11 to 30 characters, mostly in groups of four.
  {
    kind: "IBAN",
    pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g,
    accept: isIban,
  },
  // ISO/IEC 7812: 13 to 19 digits with a check digit.
  {
    kind: "CARD",
    pattern: /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]\d|\d)/g,
    accept: (found) => isLuhn(digitsOf(found)),
  },
  // GB 11643, 18 characters with a check character; SSN of the United States.
  { kind: "NATIONAL_ID", pattern: /(?<!\d)\d{17}[\dXx](?![\dXx])/g, accept: isChineseId },
  { kind: "NATIONAL_ID", pattern: /(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])/g },
  {
    kind: "IP_ADDRESS",
    pattern: /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]\d|\d)/g,
    accept: (found) => found.split(".").every((part) => Number(part) <= 255),
  },
  {
    kind: "IP_ADDRESS",
    pattern: /(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){1,7}(?![\w:])/gi,
    accept: (found) => found.split(":").length >= 4 && /\d/.test(found),
  },
  // With a country, or in groups, or as long as a number of a mobile phone: 8 to 15 digits (E.164).
  {
    kind: "PHONE",
    pattern: /(?<![\d.])(?:\+|00)\d(?:[ ()./-]{0,2}\d){6,13}(?!\d)/g,
  },
  {
    kind: "PHONE",
    pattern: /(?<![\d.])\(?\d{2,5}\)?[ ./-]?\d{2,7}(?:[ .-]\d{2,7}){0,4}(?:x\d{1,6})?(?![.,]?\d)/g,
    accept: isPhone,
  },
  { kind: "PHONE", pattern: /(?<!\d)1[3-9]\d{9}(?!\d)/g },
  // Accounts, customers, orders: whatever is that long counts nothing.
  { kind: "NUMBER", pattern: /(?<![\d.])\d{8,}(?![\d.]\d|\d)/g },
];

/**
 * Replaces personal data in a text by its kind, e.g. `write to [EMAIL]`. Masking twice is masking once. What has no form
 * of its own, such as names and streets, stays. Time is linear in the length of the text. Pure.
 */
export function maskText(text: string): string {
  // What was masked may have hidden where something else begins. Every round takes digits or signs away, so there is a last one.
  let before: string;
  let masked = text;
  do {
    before = masked;
    masked = maskOnce(before);
  } while (masked !== before);
  return masked;
}

function maskOnce(text: string): string {
  let masked = text;
  for (const { kind, pattern, accept } of RULES) {
    masked = masked.replace(pattern, (found) =>
      accept === undefined || accept(found) ? `[${kind}]` : found,
    );
  }
  return masked;
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, "");
}

/** ISO/IEC 7812-1, annex B. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]);
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** ISO 13616 with the remainder of ISO 7064 MOD 97-10. */
function isIban(found: string): boolean {
  const compact = found.replaceAll(" ", "");
  if (compact.length < 15 || compact.length > 34) return false;
  let remainder = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    for (const digit of String(Number.parseInt(character, 36))) {
      remainder = (remainder * 10 + Number(digit)) % 97;
    }
  }
  return remainder === 1;
}

const ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const ID_CHECKS = "10X98765432";

/** GB 11643-1999: ISO 7064 MOD 11-2. */
function isChineseId(found: string): boolean {
  const sum = ID_WEIGHTS.reduce((total, weight, at) => total + weight * Number(found[at]), 0);
  return ID_CHECKS[sum % 11] === found[17]?.toUpperCase();
}

/** What has the form of a number that can be called, and is something else: dates, years, and counts in groups of three. */
const NO_PHONES = [
  /^\d{4}[-./]\d{2}[-./]\d{2}$/,
  /^\d{2}[-./]\d{2}[-./]\d{4}$/,
  /^(?:19|20)\d{2}[-/ ](?:19|20)\d{2}$/,
  /^\d{1,3}(?:[ .]\d{3})+$/,
  /^\d+\.\d+$/,
];

/** 7 to 15 digits, as E.164 allows, without a country perhaps; an extension does not count. */
function isPhone(found: string): boolean {
  const [number = ""] = found.split("x");
  const { length } = digitsOf(number);
  if (length < 7 || length > 15 || !/\D/.test(number)) return false;
  return !NO_PHONES.some((pattern) => pattern.test(number));
}
