import { createLastingFault } from "./fetch-fault.ts";

/** An object of a bucket. */
export interface BucketObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Changes with the content; without quotes. */
  readonly etag: string;
}

/** One page of an answer to ListObjectsV2. */
export interface BucketPage {
  readonly objects: readonly BucketObject[];
  /** Asks for the next page; undefined on the last. */
  readonly continuation: string | undefined;
}

/**
 * Reads the answer to `GET /?list-type=2&encoding-type=url` (Amazon S3 API reference, ListObjectsV2). Its XML is flat and has no
 * attributes worth reading; of keys, `encoding-type=url` leaves nothing that XML would have to escape.
 *
 * @throws SluiceError `invalid_argument` for what is no such answer
 */
export function readBucketPage(xml: string): BucketPage {
  if (!/<ListBucketResult[\s>]/.test(xml)) {
    throw createLastingFault(
      "The bucket's list is not one that S3 would give; check the endpoint.",
    );
  }
  const isUrlEncoded = readElement(xml, "EncodingType") === "url";
  const objects = [...xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(([, object = ""]) => {
    const key = readElement(object, "Key") ?? "";
    return {
      key: isUrlEncoded ? decodeKey(key) : key,
      size: Number(readElement(object, "Size")),
      etag: (readElement(object, "ETag") ?? "").replaceAll('"', ""),
    };
  });
  const isTruncated = readElement(xml, "IsTruncated") === "true";
  const continuation = readElement(xml, "NextContinuationToken");
  return { objects, continuation: isTruncated ? continuation : undefined };
}

/** What an error says of itself: its code, such as `NoSuchBucket`. Its message may repeat what is secret. */
export function readBucketError(xml: string): string | undefined {
  const code = readElement(xml, "Code");
  return code !== undefined && /^[A-Za-z0-9.]{1,64}$/.test(code) ? code : undefined;
}

function readElement(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text === undefined ? undefined : unescapeXml(text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function unescapeXml(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** As forms are encoded: a space is a plus. */
function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    return text;
  }
}
