import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { create } from "tar";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FetchingServer, makeLoosePackage } from "../support/fetching-server.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

let bench: FetchingServer;
beforeEach(async () => {
  bench = await FetchingServer.create();
});
afterEach(() => bench.close());

describe("an archive", () => {
  let archive: Buffer;
  let sha256: string;
  let web: ScriptedHttpServer;
  let handle: (request: IncomingMessage, response: ServerResponse) => void;
  const asked: IncomingMessage[] = [];
  beforeAll(async () => {
    const { root, remove } = await makeLoosePackage("reviews", "1.0.0");
    const file = join(root, "../../made.tgz");
    await create({ gzip: true, file, cwd: join(root, ".."), portable: true }, ["1.0.0"]);
    archive = await readFile(file);
    sha256 = createHash("sha256").update(archive).digest("hex");
    await remove();
    web = await startScriptedHttpServer((request, response) => {
      asked.push(request);
      handle(request, response);
    });
  });
  afterAll(() => web.kill());
  beforeEach(() => {
    asked.length = 0;
    handle = (_request, response) => void response.end(archive);
  });

  /** What is missing of the archive, for who has the beginning of this very one. */
  const readPart = ({ headers }: IncomingMessage) => {
    if (headers.range === undefined || headers["if-range"] !== '"tag"') return undefined;
    const from = Number(/\d+/.exec(headers.range)?.[0]);
    const range = `bytes ${from}-${archive.length - 1}/${archive.length}`;
    return { from, headers: { "content-range": range } };
  };
  const breakOff = (response: ServerResponse, bytes: Uint8Array) => {
    response.write(bytes);
    // What was written has to leave before the connection breaks.
    setTimeout(() => response.destroy(), 20);
  };

  const startWith = (changes: object) => {
    const stated = { name: "reviews", version: "1.0.0", url: `${web.url}/reviews.tgz?token=hush` };
    return bench.start({
      "models.archives": JSON.stringify([{ ...stated, ...changes }]),
    });
  };

  test("is served from, and is not fetched again", async () => {
    await (await startWith({ sha256 })).drain();
    await startWith({ sha256, url: "http://127.0.0.1:1/" });
    expect(await bench.ask("reviews")).toBe("1.0.0");
    expect(asked.filter(({ method }) => method === "GET")).toHaveLength(1);
  });

  test("without a digest is fetched again when it has changed, and used as it is when nobody answers", async () => {
    const tagged = (etag: string) => (request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { etag, "content-length": archive.length });
      response.end(request.method === "HEAD" ? undefined : archive);
    };
    const gets = () => asked.filter(({ method }) => method === "GET").length;
    handle = tagged('"one"');
    await (await startWith({})).drain();
    await (await startWith({})).drain();
    expect(gets()).toBe(1);
    handle = tagged('"two"');
    await (await startWith({})).drain();
    expect(gets()).toBe(2);
    handle = (_request, response) => void response.writeHead(503).end();
    await startWith({});
    expect(await bench.ask("reviews")).toBe("1.0.0");
    expect(gets()).toBe(2);
  });

  test("is got in pieces where connections break, also when the server does not know ranges", async () => {
    for (const knowsRanges of [true, false]) {
      // Whoever has to begin anew gets nowhere, and gives up after three tries.
      let breaks = knowsRanges ? 3 : 2;
      handle = (request, response) => {
        const part = knowsRanges ? readPart(request) : undefined;
        const bytes = archive.subarray(part?.from ?? 0);
        response.writeHead(part === undefined ? 200 : 206, {
          etag: '"tag"',
          "content-length": bytes.length,
          ...part?.headers,
        });
        if (request.method === "HEAD") response.end();
        else if (breaks-- > 0) breakOff(response, bytes.subarray(0, 700));
        else response.end(bytes);
      };
      asked.length = 0;
      await startWith({ sha256 });
      expect(await bench.ask("reviews")).toBe("1.0.0");
      const ranges = asked.map(({ headers }) => headers.range).filter(Boolean);
      expect(ranges).toEqual(
        knowsRanges ? ["bytes=700-", "bytes=1400-", "bytes=2100-"] : ["bytes=700-", "bytes=700-"],
      );
      await bench.stop();
      await rm(bench.packages, { recursive: true });
    }
  });

  test("that changes while it is fetched does not become a mixture of both", async () => {
    const other = Buffer.alloc(archive.length, 7);
    let isFirst = true;
    handle = (request, response) => {
      if (request.method === "HEAD") response.end();
      else if (isFirst) {
        isFirst = false;
        response.writeHead(200, { etag: '"old"', "content-length": other.length });
        breakOff(response, other.subarray(0, 900));
      } else {
        response.writeHead(200, { etag: '"new"', "content-length": archive.length });
        response.end(archive);
      }
    };
    await startWith({ sha256 });
    expect(asked.at(-1)?.headers["if-range"]).toBe('"old"');
    expect(await bench.ask("reviews")).toBe("1.0.0");
  });

  test("that redirects is followed, and headers stay where they belong", async () => {
    const elsewhere: IncomingMessage[] = [];
    const second = await startScriptedHttpServer((request, response) => {
      elsewhere.push(request);
      response.end(archive);
    });
    try {
      handle = (_request, response) =>
        void response.writeHead(302, { location: `${second.url}/there` }).end();
      await startWith({ sha256, headers: { authorization: "Bearer hush" } });
      expect(await bench.ask("reviews")).toBe("1.0.0");
      expect(asked.every(({ headers }) => headers.authorization === "Bearer hush")).toBe(true);
      expect(elsewhere.length).toBeGreaterThan(0);
      expect(elsewhere.some(({ headers }) => "authorization" in headers)).toBe(false);
    } finally {
      await second.kill();
    }
  });

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void, RegExp]>([
    ["is not there", (_, response) => void response.writeHead(404).end(), /status 404; check that/],
    [
      "is secret",
      (_, response) => void response.writeHead(401).end(),
      /status 401; check its cred/,
    ],
    [
      "goes in circles",
      (_, response) => void response.writeHead(302, { location: "/" }).end(),
      /more than 3 times/,
    ],
    [
      "leads to a file",
      (_, response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end(),
      /redirects from http: to file:/,
    ],
    [
      "is another one",
      (_, response) => void response.end("other bytes"),
      /has the SHA-256 [0-9a-f]{64}, not/,
    ],
    [
      "always breaks off",
      (request, response) => {
        response.writeHead(200, { "content-length": 5000 });
        if (request.method === "HEAD") response.end();
        else breakOff(response, Buffer.from("some"));
      },
      /broke off/,
    ],
    [
      "is too long",
      (_, response) => {
        response.writeHead(200, { "content-length": 3 * 1024 * 1024 }).end();
      },
      /longer than 1 MB \(models\.fetching\.maxMb\)/,
    ],
    [
      "is endless",
      (request, response) => {
        if (request.method === "HEAD") response.end();
        else response.end(Buffer.alloc(2 * 1024 * 1024));
      },
      /longer than 1 MB|SHA-256/,
    ],
  ])("that %s fails with the reason, and the others serve", async (_what, act, reason) => {
    handle = act;
    const url = `${web.url}/reviews.tgz?token=hush`;
    const archives = [{ name: "reviews", version: "1.0.0", url, sha256 }];
    await bench.start({
      "models.archives": JSON.stringify(archives),
      "models.fetching.maxMb": "1",
      "models.fetching.attempts": "2",
    });
    const seen = await bench.states();
    expect(seen["reviews 1.0.0"]).toMatch(reason);
    expect(seen["reviews 1.0.0"]).toContain("/reviews.tgz");
    expect(JSON.stringify([seen, bench.server.log])).not.toContain("hush");
    expect(await bench.ask("local")).toBe("1.0.0");
  });

  test("that was wrong is fetched when it has been put right", async () => {
    handle = (request, response) => {
      response.writeHead(200, { etag: '"wrong"' });
      response.end(request.method === "HEAD" ? undefined : "wrong");
    };
    await startWith({ sha256 });
    expect((await bench.states())["reviews 1.0.0"]).toMatch(/^failed: .*SHA-256/);
    handle = (request, response) => {
      response.writeHead(200, { etag: '"right"', "content-length": archive.length });
      response.end(request.method === "HEAD" ? undefined : archive);
    };
    await expect.poll(() => bench.ask("reviews"), { timeout: 10_000 }).toBe("1.0.0");
  });
});
