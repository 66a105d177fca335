import fc from "fast-check";
import { expect, test } from "vitest";
import { describeWithData, readData } from "../../../test/support/shared-data.ts";
import { maskText } from "./mask-text.ts";

test.each([
  ["an address of mail", "write to jo.doe+x@mail.example.org today", "write to [EMAIL] today"],
  ["one in Chinese text", "邮箱是zhang@例子.中国，谢谢", "[EMAIL]，谢谢"],
  ["a web address with a password", "see https://u:p@host/a?token=1 now", "see [URL] now"],
  ["a card with a check digit", "card 4111 1111 1111 1111 please", "card [CARD] please"],
  ["a card in one piece", "4012888888881881.", "[CARD]."],
  ["an account", "IBAN DE89 3704 0044 0532 0130 00, thanks", "IBAN [IBAN], thanks"],
  ["a Chinese identity card", "身份证11010519491231002X", "身份证[NATIONAL_ID]"],
  ["a social security number", "my number is 078-05-1120", "my number is [NATIONAL_ID]"],
  ["a phone with a country", "call +49 (30) 1234-5678!", "call [PHONE]!"],
  ["a phone in groups", "call 030 1234 5678", "call [PHONE]"],
  ["a Chinese mobile", "电话13812345678。", "电话[PHONE]。"],
  [
    "an address of a network",
    "from 192.168.0.17 and 2001:db8::ff00:42:8329",
    "from [IP_ADDRESS] and [IP_ADDRESS]",
  ],
  ["a customer's number", "customer 9912345678", "customer [NUMBER]"],
])("%s is masked", (_name, text, masked) => {
  expect(maskText(text)).toBe(masked);
});

test.each([
  ["prices and years", "In 2019 it cost 1,299.99 and 15 of 20 people liked it."],
  ["dates", "It came on 2024-05-17 at 10:45:12."],
  ["versions", "Version 10.2.3 is fine, 1.2.3.400 is not."],
  ["sizes", "It is 1920 x 1080, 4.7 inches."],
  ["ratios", "a score of 0.123456789"],
  ["a sentence without any", "这家店的服务很好，下次还会再来。"],
])("%s stay", (_name, text) => {
  expect(maskText(text)).toBe(text);
});

test("masking twice is masking once", () => {
  const pieces = fc.constantFrom(
    ..."0123456789 @.-+():/X".split(""),
    ...["a@b.example", "4111111111111111", "http://x/", "DE89370400440532013000", "[", "]", "号"],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      const once = maskText(parts.join(""));
      expect(maskText(once)).toBe(once);
    }),
    { numRuns: 2000 },
  );
});

test("no long text takes long", () => {
  const hostile = ["1 ", "1-", "a.", "a@", "1:", "+1", "A1B2 ", "http://", "1.1."].map((part) =>
    part.repeat(50_000),
  );
  const start = performance.now();
  for (const text of hostile) maskText(text);
  // Each has 100,000 characters and more; what is not linear takes minutes.
  expect(performance.now() - start).toBeLessThan(10_000);
});

const SENTENCES = "pii_presidio/generated_large.json";

interface Sentence {
  readonly full_text: string;
  readonly spans: readonly { readonly entity_type: string; readonly entity_value: string }[];
}

describeWithData("sentences with personal data", [SENTENCES], () => {
  // Shares of the made-up values whose digits or signs are all gone; measured, rounded down.
  test.each([
    ["EMAIL_ADDRESS", 1],
    ["CREDIT_CARD", 0.99],
    ["IBAN_CODE", 1],
    ["US_SSN", 1],
    ["IP_ADDRESS", 1],
    ["PHONE_NUMBER", 0.9],
  ])("%s: at least %d is masked", (kind, share) => {
    const sentences = JSON.parse(readData(SENTENCES)) as readonly Sentence[];
    const found = sentences.flatMap(({ full_text, spans }) =>
      spans
        .filter(({ entity_type }) => entity_type === kind)
        .map(({ entity_value }) => ({ value: entity_value, masked: maskText(full_text) })),
    );
    const kept = found.filter(({ value, masked }) => masked.includes(value));
    expect(found.length).toBeGreaterThan(10);
    expect(
      1 - kept.length / found.length,
      kept.map(({ value }) => value).join(" | "),
    ).toBeGreaterThanOrEqual(share);
  });

  test("hardly a sentence without any is touched", () => {
    const sentences = JSON.parse(readData(SENTENCES)) as readonly Sentence[];
    const plain = sentences.filter(({ spans }) => spans.length === 0);
    const touched = plain.filter(({ full_text }) => maskText(full_text) !== full_text);
    expect(plain.length).toBeGreaterThan(100);
    expect(
      touched.length / plain.length,
      touched.map(({ full_text }) => full_text).join("\n"),
    ).toBeLessThan(0.02);
  });
});
