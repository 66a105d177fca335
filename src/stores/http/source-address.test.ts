import { expect, test } from "vitest";
import type { SourceRules } from "./source-address.ts";
import { parseSourceUrl } from "./source-address.ts";

const RULES: SourceRules = {
  allowedHosts: ["files.example.org", "*.data.example.org", "8.8.8.8", "127.0.0.1", "[::1]"],
  allowHttp: false,
  allowPrivateAddresses: false,
};

function refusalOf(text: string, rules = RULES): unknown {
  try {
    return parseSourceUrl(text, rules).href;
  } catch (error) {
    return error;
  }
}

test.each([
  "https://files.example.org/a.csv?token=x#part",
  "https://FILES.example.ORG/a.csv",
  "https://files.example.org:8443/a.csv",
  "https://a.data.example.org/",
  "https://a.b.data.example.org/",
  "https://8.8.8.8/",
])("%s is allowed", (text) => {
  expect(parseSourceUrl(text, RULES).href).toBe(new URL(text).href);
});

test.each([
  "https://example.org/",
  "https://evil-files.example.org/",
  "https://files.example.org.evil.test/",
  "https://files.example.org./",
  "https://data.example.org/",
  "https://.data.example.org/",
  "https://evildata.example.org/",
  "https://files.example.org@evil.test/",
  "https://evil.test/https://files.example.org/",
  "https://evil.test\\@files.example.org/",
  "https://8.8.4.4/",
])("the host of %s is not allowed, and the refusal names the setting", (text) => {
  expect(refusalOf(text)).toMatchObject({
    code: text.includes("org@") ? "invalid_argument" : "permission_denied",
    details: [{ field: "source.url" }],
    message: expect.stringMatching(/^source\.url .*(jobs\.sources\.allowedHosts|password)/),
  });
});

test.each(["https://127.0.0.1/", "https://[::1]/", "https://0x7f.1/"])(
  "%s is refused, though its host is allowed, until private addresses are",
  (text) => {
    expect(refusalOf(text)).toMatchObject({
      code: "permission_denied",
      message: expect.stringContaining("jobs.sources.allowPrivateAddresses"),
    });
    expect(parseSourceUrl(text, { ...RULES, allowPrivateAddresses: true }).protocol).toBe("https:");
  },
);

test("a suffix stands for names only, never for the end of an address", () => {
  const rules = { ...RULES, allowedHosts: ["*.0.0.1", "*.1"], allowPrivateAddresses: true };
  expect(refusalOf("https://127.0.0.1/", rules)).toMatchObject({ code: "permission_denied" });
});

test("http is refused until it is allowed", () => {
  const text = "http://files.example.org/a.csv";
  expect(refusalOf(text)).toMatchObject({
    code: "permission_denied",
    message: expect.stringContaining("jobs.sources.allowHttp"),
  });
  expect(parseSourceUrl(text, { ...RULES, allowHttp: true }).href).toBe(text);
});

test("without allowed hosts everything is refused, and the refusal names the setting", () => {
  for (const text of ["https://files.example.org/", "nonsense", "http://127.0.0.1/"]) {
    expect(refusalOf(text, { ...RULES, allowedHosts: [] })).toMatchObject({
      code: "permission_denied",
      message: "source.url cannot be fetched; jobs.sources.allowedHosts names no host.",
    });
  }
});

test.each([
  "",
  "files.example.org/a.csv",
  "ftp://files.example.org/a.csv",
  "file:///etc/passwd",
  "https://user:secret@files.example.org/",
  "https://user@files.example.org/",
  `https://files.example.org/${"a".repeat(3000)}`,
])("%s is no address to fetch from", (text) => {
  const refusal = refusalOf(text);
  expect(refusal).toMatchObject({ code: "invalid_argument", details: [{ field: "source.url" }] });
  expect(String(refusal)).not.toContain("secret");
});
