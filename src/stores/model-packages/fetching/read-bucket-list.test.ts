import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBucketError, readBucketPage } from "./read-bucket-list.ts";

const page = (inner: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</ListBucketResult>`;

describe("readBucketPage", () => {
  it("reads objects and where the next page begins", () => {
    const contents =
      "<Contents><Key>m/1.0.0/a+b%2Bc%26.json</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;9b2cf5&quot;</ETag><Size>434234</Size><StorageClass>STANDARD</StorageClass></Contents>";
    const rest =
      "<IsTruncated>true</IsTruncated><NextContinuationToken>1ueG&amp;cXL==</NextContinuationToken>";
    expect(readBucketPage(page(`<EncodingType>url</EncodingType>${contents}${rest}`))).toEqual({
      objects: [{ key: "m/1.0.0/a b+c&.json", size: 434_234, etag: "9b2cf5" }],
      continuation: "1ueG&cXL==",
    });
  });

  it("takes keys as they are from stores that do not encode them", () => {
    const contents = "<Contents><Key>a+b &#38; c&#x2F;d</Key><Size>1</Size></Contents>";
    expect(readBucketPage(page(contents)).objects).toEqual([
      { key: "a+b & c/d", size: 1, etag: "" },
    ]);
  });

  it("finds nothing in an empty bucket, on its last page", () => {
    const empty = { objects: [], continuation: undefined };
    expect(readBucketPage(page("<KeyCount>0</KeyCount>"))).toEqual(empty);
    const token = "<NextContinuationToken>x</NextContinuationToken>";
    expect(readBucketPage(page(`<IsTruncated>false</IsTruncated>${token}`))).toEqual(empty);
  });

  it.each(["", "<html><body>It works!</body></html>", '{"objects":[]}', "<ListBucketResultX/>"])(
    "refuses what is no such answer: %j",
    (text) => {
      expect(() => readBucketPage(text)).toThrow(/check the endpoint/);
    },
  );

  it("reads any key back, however it has to be written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (key) => {
        const written = new URLSearchParams({ key }).toString().slice("key=".length);
        const xml = page(
          `<EncodingType>url</EncodingType><Contents><Key>${written}</Key><Size>1</Size></Contents>`,
        );
        expect(readBucketPage(xml).objects[0]?.key).toBe(key.toWellFormed());
      }),
    );
  });
});

describe("readBucketError", () => {
  it("finds the code and leaves the message, which may name keys", () => {
    const xml =
      "<Error><Code>InvalidAccessKeyId</Code><Message>The key AKIA… does not exist</Message></Error>";
    expect(readBucketError(xml)).toBe("InvalidAccessKeyId");
    expect(readBucketError("<html>")).toBeUndefined();
    expect(readBucketError("<Code>a b; rm</Code>")).toBeUndefined();
  });
});
