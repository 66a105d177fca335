import { AwsV4Signer } from "aws4fetch";
import { expect, test } from "vitest";
import { computeSignature } from "../support/signature-v4.ts";

/** Example of "Signature Calculations for the Authorization Header" in the Amazon S3 API reference. */
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SIGNATURE = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("requests for objects are signed as the reference signs them, and as our test server checks them", async () => {
  const signer = new AwsV4Signer({
    url: "https://examplebucket.s3.amazonaws.com/test.txt",
    method: "GET",
    headers: { range: "bytes=0-9", "x-amz-content-sha256": EMPTY },
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: SECRET,
    service: "s3",
    region: "us-east-1",
    datetime: "20130524T000000Z",
    allHeaders: true,
  });
  const { headers } = await signer.sign();
  const authorization = headers.get("authorization") ?? "";
  expect(authorization).toMatch(new RegExp(`Signature=${SIGNATURE}$`));
  const parts = {
    ...{ method: "GET", path: "/test.txt", query: "", secretAccessKey: SECRET },
    headers: {
      host: "examplebucket.s3.amazonaws.com",
      range: "bytes=0-9",
      "x-amz-content-sha256": EMPTY,
      "x-amz-date": "20130524T000000Z",
    },
  };
  expect(computeSignature(authorization, parts)).toBe(SIGNATURE);
});
