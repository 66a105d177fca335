import { describe, expect, it } from "vitest";
import { loadConfig } from "./load.ts";

const SHA256 = "a".repeat(64);

function load(models: {
  readonly archives?: readonly object[];
  readonly buckets?: readonly object[];
}) {
  const flags = Object.fromEntries(
    Object.entries(models).map(([name, items]) => [`models.${name}`, JSON.stringify(items)]),
  );
  return loadConfig({ env: {}, directory: import.meta.dirname, flags });
}

const archive = (changes: object) => ({
  ...{ name: "reviews", version: "1.0.0", url: "https://models.example/reviews.tgz" },
  ...changes,
});

describe("sources of models", () => {
  it.each([
    archive({}),
    archive({ url: "http://127.0.0.1:9000/reviews.tgz" }),
    archive({ url: "http://models.example/reviews.tgz", sha256: SHA256 }),
  ])("may be an archive: %j", (one) => {
    expect(load({ archives: [one] }).config.models.archives).toEqual([one]);
  });

  it.each([
    [[archive({ url: "http://models.example/reviews.tgz" })], /archives\[0\]\.sha256.*https/s],
    [[archive({}), archive({ url: "https://other.example/" })], /archives\[1\].*second time/s],
    [[archive({ url: "ftp://models.example/reviews.tgz" })], /archives\[0\]\.url/],
    [[archive({ url: "https://me:secret@models.example/" })], /archives\[0\]\.url/],
    [[archive({ version: "latest" })], /archives\[0\]\.version/],
    [[archive({ sha256: "abc" })], /archives\[0\]\.sha256/],
    [[archive({ name: "../etc" })], /archives\[0\]\.name/],
  ])("may not be archives such as %j", (archives, problem) => {
    expect(() => load({ archives })).toThrow(problem);
  });

  it.each([
    [{ bucket: "models", accessKeyId: "a" }, /buckets\[0\]\.secretAccessKey/],
    [{ bucket: "models", secretAccessKey: "hush" }, /buckets\[0\]\.accessKeyId/],
    [{ bucket: "models", sessionToken: "hush" }, /buckets\[0\]\.accessKeyId/],
    [{ bucket: "a/b" }, /buckets\[0\]\.bucket/],
    [{ bucket: "models", endpoint: "s3.example" }, /buckets\[0\]\.endpoint/],
    [{ bucket: "models", addressing: "dns" }, /buckets\[0\]\.addressing/],
  ])("may not be buckets such as %j, and the message keeps secrets", (bucket, problem) => {
    expect(() => load({ buckets: [bucket] })).toThrow(problem);
    expect(() => load({ buckets: [bucket] })).not.toThrow(/hush/);
  });

  it("take keys of AWS from the environment", () => {
    const env = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "hush", AWS_REGION: "eu-west-1" };
    const { config } = loadConfig({ env, directory: import.meta.dirname, flags: {} });
    expect(config.models.fetching).toMatchObject({
      ...{ accessKeyId: "id", secretAccessKey: "hush", region: "eu-west-1" },
    });
  });
});
