import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { LookupAddress } from "node:dns";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import type { Cancellation } from "../../src/core/ports/cancellation.ts";
import { NEVER_CANCELLED } from "../../src/core/ports/cancellation.ts";
import type { FetchOptions } from "../../src/stores/http/fetch-source.ts";
import { fetchSource } from "../../src/stores/http/fetch-source.ts";
import { findProgram } from "../support/find-program.ts";
import type { ScriptedHttpServer } from "../support/scripted-http-server.ts";
import { startScriptedHttpServer } from "../support/scripted-http-server.ts";

const MAX_BYTES = 100_000;
const SECRET = "what-the-other-server-says";

const servers: { kill(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
});

async function start(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<ScriptedHttpServer> {
  const server = await startScriptedHttpServer(answer);
  servers.push(server);
  return server;
}

/** A server that sends these bytes, whatever was asked, and then closes the connection or says nothing more. */
async function startRaw(bytes: string, ends: boolean): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => (ends ? socket.end(bytes) : socket.write(bytes)));
    servers.push({ kill: async () => void socket.destroy() });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push({ kill: async () => void server.close() });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.csv`;
}

const OPTIONS: FetchOptions = {
  ...{ allowedHosts: ["127.0.0.1"], allowHttp: true, allowPrivateAddresses: true },
  ...{ timeoutMs: 1000, maxMs: 10_000, maxBytes: MAX_BYTES },
};

async function fetchAll(
  url: string,
  more: Partial<FetchOptions> = {},
  cancellation: Cancellation = NEVER_CANCELLED,
): Promise<{ contentType: string | undefined; text: string }> {
  const opened = await fetchSource(url, { ...OPTIONS, ...more }, cancellation);
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of opened.bytes) pieces.push(piece);
  } finally {
    opened.close();
  }
  return { contentType: opened.contentType, text: Buffer.concat(pieces).toString() };
}

/** What a fetch was refused with: code and message. Every refusal names the caller's field. */
async function refusalOf(fetching: Promise<unknown>): Promise<string> {
  const error = await fetching.then(
    () => undefined,
    (thrown: unknown) => thrown as { code: string; message: string; details: readonly object[] },
  );
  if (error === undefined) return "no refusal";
  expect(error.details).toMatchObject([{ field: "source.url" }]);
  expect(JSON.stringify(error)).not.toContain(SECRET);
  expect(error.message).not.toContain(SECRET);
  return `${error.code}: ${error.message}`;
}

test("what is there comes with its type, and nothing but the question goes out", async () => {
  const { url } = await start((request, response) => {
    const { host, ...headers } = request.headers;
    expect(host).toBe(new URL(url).host);
    response.setHeader("content-type", "Text/CSV; charset=utf-8");
    response.setHeader("set-cookie", "a=b");
    response.end(JSON.stringify({ ...headers, method: request.method, path: request.url }));
  });
  const { contentType, text } = await fetchAll(`${url}/a.csv?b=c#d`);
  expect(contentType).toBe("text/csv");
  expect(JSON.parse(text)).toEqual({
    ...{ method: "GET", path: "/a.csv?b=c", connection: "close", "accept-encoding": "gzip" },
    ...{ accept: "text/csv, application/x-ndjson, */*;q=0.1", "user-agent": "sluice" },
  });
});

test("gzip is undone, also of several parts", async () => {
  const { url } = await start((_request, response) => {
    response.setHeader("content-encoding", "gzip");
    response.end(Buffer.concat([gzipSync("one\n"), gzipSync("two\n")]));
  });
  expect(await fetchAll(url)).toEqual({ contentType: undefined, text: "one\ntwo\n" });
});

test("redirects are followed three times, relative ones too", async () => {
  const { url } = await start((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end("found");
    else response.writeHead(left % 2 === 0 ? 302 : 308, { location: `/${left - 1}` }).end(SECRET);
  });
  expect((await fetchAll(`${url}/3`)).text).toBe("found");
  expect(await refusalOf(fetchAll(`${url}/4`))).toBe(
    "invalid_argument: source.url redirects more than 3 times.",
  );
});

test.each([
  ["http://localhost:1/", "permission_denied", "jobs.sources.allowedHosts"],
  ["http://169.254.169.254/latest", "permission_denied", "jobs.sources.allowedHosts"],
  ["file:///etc/passwd", "invalid_argument", "must begin with"],
  ["http://a:b@127.0.0.1/", "invalid_argument", "password"],
  ["http://[", "invalid_argument", "no address"],
  ["", "invalid_argument", "status 302"],
])("a redirect to %j is refused", async (location, code, message) => {
  const { url } = await start((_request, response) => {
    response.writeHead(302, location === "" ? {} : { location }).end(SECRET);
  });
  const refusal = await refusalOf(fetchAll(url));
  expect(refusal).toContain(code);
  expect(refusal).toContain(message);
});

/** Certificates are made by a program that most machines have. */
const OPENSSL = findProgram("openssl");

test.skipIf(OPENSSL === undefined)(
  `https is checked against the name that was asked for, and may not lead to http${OPENSSL === undefined ? " (openssl is not installed)" : ""}`,
  async () => {
    const { key, cert } = await makeCertificate("files.test");
    let location = "/found";
    const server = createHttpsServer({ key, cert }, (request, response) => {
      if (request.url === "/found") response.end("found");
      else response.writeHead(302, { location }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push({ kill: async () => void server.close() });
    const { port } = server.address() as AddressInfo;
    const more = {
      ...{ allowHttp: false, allowedHosts: ["*.test"], certificateAuthority: cert },
      resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    };
    const url = `https://files.test:${port}/a`;
    expect((await fetchAll(url, more)).text).toBe("found");
    location = `http://files.test:${port}/found`;
    expect(await refusalOf(fetchAll(url, more))).toBe(
      "permission_denied: source.url redirects to an address that must begin with https://; jobs.sources.allowHttp is off.",
    );
    expect(await refusalOf(fetchAll(`https://other.test:${port}/found`, more))).toBe(
      "unavailable: source.url cannot be reached (ERR_TLS_CERT_ALTNAME_INVALID).",
    );
    const { certificateAuthority: _, ...withoutAuthority } = more;
    expect(await refusalOf(fetchAll(url, withoutAuthority))).toBe(
      "unavailable: source.url cannot be reached (DEPTH_ZERO_SELF_SIGNED_CERT).",
    );
  },
);

async function makeCertificate(name: string): Promise<{ key: string; cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-certificate-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  try {
    const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, "-days", "2"];
    await promisify(execFile)(OPENSSL ?? "openssl", [
      ...kind,
      ...names,
      "-keyout",
      key,
      "-out",
      cert,
    ]);
    return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("a name is resolved once per connection, checked, and the connection goes where the check was", async () => {
  const { port, ...server } = await start((_request, response) => void response.end("found"));
  const asked: string[] = [];
  const answers: readonly (readonly LookupAddress[])[] = [
    [{ address: "127.0.0.1", family: 4 }],
    [
      { address: "8.8.8.8", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ],
  ];
  const resolve = (index: number) => async (name: string) => {
    asked.push(name);
    return answers[index] ?? [];
  };
  const rules = { allowedHosts: ["*.localtest.me"] };
  const url = `http://a.localtest.me:${port}/`;
  expect((await fetchAll(url, { ...rules, resolve: resolve(0) })).text).toBe("found");
  expect(asked).toEqual(["a.localtest.me"]);
  for (const index of [0, 1, 2]) {
    const strict = { ...rules, resolve: resolve(index), allowPrivateAddresses: false };
    expect(await refusalOf(fetchAll(url, strict))).toBe(
      "permission_denied: source.url is not on the public Internet, and jobs.sources.allowPrivateAddresses is off.",
    );
  }
  expect(server.requests).toBeLessThanOrEqual(1);
});

test("a name that does not exist, and a port where nobody listens", async () => {
  const missing = Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
  const resolve = () => Promise.reject(missing);
  const unknown = fetchAll("http://name.test/", { allowedHosts: ["name.test"], resolve });
  expect(await refusalOf(unknown)).toBe(
    "invalid_argument: source.url names a host that does not exist.",
  );
  const { url, kill } = await start(() => {});
  await kill();
  expect(await refusalOf(fetchAll(url))).toBe(
    "unavailable: source.url cannot be reached (ECONNREFUSED).",
  );
});

test.each([
  [201, "invalid_argument"],
  [204, "invalid_argument"],
  [206, "invalid_argument"],
  [304, "invalid_argument"],
  [401, "invalid_argument"],
  [404, "invalid_argument"],
  [429, "unavailable"],
  [500, "unavailable"],
  [503, "unavailable"],
])("%i is %s", async (status, code) => {
  const { url } = await start((_request, response) => void response.writeHead(status).end());
  expect(await refusalOf(fetchAll(url))).toBe(
    `${code}: source.url was answered with the status ${status} instead of 200.`,
  );
});

test("a body that never ends is cut off at the limit, plain or compressed", async () => {
  let written = 0;
  const piece = gzipSync(Buffer.alloc(1_000_000));
  const endless = (pieceOf: () => Uint8Array, headers: Record<string, string>) =>
    start((_request, response) => {
      response.writeHead(200, headers);
      const write = () => {
        while (!response.destroyed) {
          written++;
          if (!response.write(pieceOf())) return void response.once("drain", write);
        }
      };
      write();
    });
  const expected = `too_large: source.url leads to more than ${MAX_BYTES} bytes; split it.`;
  const plain = await endless(() => randomBytes(10_000), {});
  expect(await refusalOf(fetchAll(plain.url))).toBe(expected);
  const bomb = await endless(() => piece, { "content-encoding": "gzip" });
  expect(await refusalOf(fetchAll(bomb.url))).toBe(expected);
  // Parts of gzip without content: nothing comes out, however many there are.
  const empty = gzipSync("");
  const hollow = await endless(() => empty, { "content-encoding": "gzip" });
  expect(await refusalOf(fetchAll(hollow.url))).toBe(expected);
  const stopped = written;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(written).toBe(stopped);
});

test("a length beyond the limit is refused before anything of it comes", async () => {
  const { url } = await start((_request, response) => {
    response.writeHead(200, { "content-length": String(MAX_BYTES + 1) });
    response.flushHeaders();
  });
  expect(await refusalOf(fetchAll(url))).toContain("too_large");
});

test.each([
  ["before it answers", ""],
  ["in the head", "HTTP/1.1 200 OK\r\nContent-"],
  ["in the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
])("a server that falls silent %s is given up", async (_when, bytes) => {
  const url = await startRaw(bytes, false);
  expect(await refusalOf(fetchAll(url, { timeoutMs: 200 }))).toBe(
    "unavailable: source.url was silent for 200 ms (jobs.sources.timeoutMs).",
  );
});

test("a name that nobody resolves is given up", async () => {
  const resolve = () => new Promise<never>(() => {});
  const more = { allowedHosts: ["name.test"], resolve, timeoutMs: 200 };
  expect(await refusalOf(fetchAll("http://name.test/", more))).toContain("was silent for 200 ms");
});

test("a server that sends, but too slowly, is given up", async () => {
  const { url } = await start((_request, response) => {
    const timer = setInterval(() => response.write("a"), 20);
    response.on("close", () => clearInterval(timer));
  });
  expect(await refusalOf(fetchAll(url, { timeoutMs: 200, maxMs: 500 }))).toBe(
    "unavailable: source.url did not send everything in 500 ms (jobs.receiveTimeoutMs).",
  );
});

test("a reader that takes its time is no silence of the server", async () => {
  const { url } = await start((_request, response) => void response.end(Buffer.alloc(90_000)));
  const opened = await fetchSource(url, { ...OPTIONS, timeoutMs: 100 }, NEVER_CANCELLED);
  let total = 0;
  for await (const piece of opened.bytes) {
    total += piece.length;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  opened.close();
  expect(total).toBe(90_000);
});

test.each([
  ["a length that is not reached", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
  ["chunks without their end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
  ["a connection without an answer", ""],
  ["something that is no HTTP", "nonsense\r\n\r\n"],
  [
    "a change of protocols",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
  ],
])("%s is an error", async (_what, bytes) => {
  const refusal = await refusalOf(fetchAll(await startRaw(bytes, true)));
  expect(refusal).toMatch(/^unavailable: source\.url (broke off before|cannot be reached)/);
});

test("gzip that is broken or cut off is an error", async () => {
  const whole = gzipSync("text\n".repeat(1000));
  for (const bytes of [whole.subarray(0, -10), Buffer.from("no gzip")]) {
    const { url } = await start((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(bytes);
    });
    expect(await refusalOf(fetchAll(url))).toBe(
      "invalid_argument: source.url leads to gzip that is broken.",
    );
  }
  const { url } = await start((_request, response) => {
    response.writeHead(200, { "content-encoding": SECRET }).end("a");
  });
  expect(await refusalOf(fetchAll(url))).toContain("Content-Encoding other than gzip");
});

test.each(["before the answer", "in the body"])("a caller who leaves %s ends it", async (when) => {
  let closed = false;
  const { url } = await start((_request, response) => {
    response.on("close", () => {
      closed = true;
    });
    if (when === "in the body") response.write("abc");
  });
  let leave = () => {};
  let listeners = 0;
  const cancellation: Cancellation = {
    cancelled: false,
    onCancel: (listener) => {
      leave = listener;
      listeners++;
      return () => void listeners--;
    },
  };
  setTimeout(() => leave(), 100);
  await expect(fetchAll(url, {}, cancellation)).rejects.toMatchObject({ code: "cancelled" });
  await expect.poll(() => closed).toBe(true);
  expect(listeners).toBe(0);
  const gone = { cancelled: true, onCancel: () => () => {} };
  await expect(fetchAll(url, {}, gone)).rejects.toMatchObject({ code: "cancelled" });
});

test.each(["identity", "gzip"])(
  "what is closed without being read lets go of the connection (%s)",
  async (encoding) => {
    let closed = false;
    const { url } = await start((_request, response) => {
      response.on("close", () => {
        closed = true;
      });
      response.writeHead(200, { "content-encoding": encoding }).write(gzipSync("abc"));
    });
    const opened = await fetchSource(url, OPTIONS, NEVER_CANCELLED);
    opened.close();
    opened.close();
    await expect.poll(() => closed).toBe(true);
  },
);
