import { describe, expect, test } from "vitest";
import type { ParsedResponse } from "./response-parser.ts";
import { ResponseParser } from "./response-parser.ts";

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nx-id: 1\r\n\r\n{"a":"é"}';
const REFUSAL = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length:2\r\n\r\n{}";

describe("ResponseParser", () => {
  test("reads status, head and body of an answer that comes in one piece", () => {
    const parser = new ResponseParser({ keepBody: true });
    const response = parser.push(Buffer.from(ANSWER));
    expect(response?.status).toBe(200);
    expect(response?.head).toContain("x-id: 1");
    expect(response?.body?.toString()).toBe('{"a":"é"}');
  });

  test("reads the same however the bytes are cut, also when the caller uses its buffer again", () => {
    const bytes = Buffer.from(ANSWER);
    const shared = Buffer.alloc(bytes.length);
    for (let size = 1; size < bytes.length; size++) {
      const parser = new ResponseParser({ keepBody: true });
      const responses: ParsedResponse[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        const length = bytes.copy(shared, 0, at, at + size);
        const response = parser.push(shared.subarray(0, length));
        if (response !== undefined) responses.push(response);
      }
      expect(responses.map(({ body }) => body?.toString())).toEqual(['{"a":"é"}']);
    }
  });

  test("reads one answer after the other", () => {
    const parser = new ResponseParser({ keepBody: false });
    const statuses = [ANSWER, REFUSAL, ANSWER].map(
      (text) => parser.push(Buffer.from(text))?.status,
    );
    expect(statuses).toEqual([200, 429, 200]);
  });

  test("skips the body unless told to keep it", () => {
    const parser = new ResponseParser({ keepBody: false });
    expect(parser.push(Buffer.from(ANSWER))).toMatchObject({ status: 200, body: undefined });
  });

  test("takes 204 for an answer without a body", () => {
    const parser = new ResponseParser({ keepBody: false });
    expect(parser.push(Buffer.from("HTTP/1.1 204 No Content\r\n\r\n"))?.status).toBe(204);
  });

  test.each([
    ["what is not HTTP", "SSH-2.0-OpenSSH\r\n\r\n"],
    ["a status that is none", "HTTP/1.1 2x0 OK\r\ncontent-length: 0\r\n\r\n"],
    [
      "an answer of unknown length",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["bytes behind the body", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab"],
    ["a head without end", "x".repeat(70_000)],
  ])("refuses %s", (_what, text) => {
    const parser = new ResponseParser({ keepBody: false });
    expect(() => parser.push(Buffer.from(text))).toThrow();
  });
});
