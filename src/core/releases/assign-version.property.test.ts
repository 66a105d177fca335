import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RequestIdentity, TrafficSplit } from "./assign-version.ts";
import { assignVersion, isMirrored } from "./assign-version.ts";
import { hashText } from "./hash-identity.ts";

const weights = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100);
const identities = fc.string({ minLength: 1, maxLength: 30 });

function splitOf(candidateWeight: number, changes: Partial<TrafficSplit> = {}): TrafficSplit {
  return {
    releaseId: "rel_1",
    stable: "1.0.0",
    candidate: "2.0.0",
    stableWeight: 100 - candidateWeight,
    candidateWeight,
    matches: [],
    mirrorShare: 0,
    stickyBy: { kind: "key" },
    ...changes,
  };
}

function requestOf(caller: string, changes: Partial<RequestIdentity> = {}): RequestIdentity {
  return {
    requestId: "req_1",
    caller,
    keyId: null,
    headers: new Map(),
    cookies: new Map(),
    ...changes,
  };
}

/** Share of 100 000 callers that get the candidate, in percent. */
function measureShare(split: TrafficSplit): number {
  let candidates = 0;
  for (let at = 0; at < 100_000; at++) {
    if (assignVersion(split, requestOf(`key_${at}`)) === "candidate") candidates++;
  }
  return candidates / 1000;
}

describe("the hash", () => {
  // FNV-1a of the texts is 811c9dc5, e40c292c, bf9cf968 (RFC 9923) and 22ef1ae2; the finaliser after it was computed with
  // an independent program in Python.
  test.each([
    ["", 2872998923],
    ["a", 444641715],
    ["foobar", 202221276],
    ["grüß 東京 😀", 834795115],
  ])("of %j is the same everywhere", (text, hash) => {
    expect(hashText(text)).toBe(hash);
  });
});

describe("weights", () => {
  test("hold within 1 % of 100 000 callers", () => {
    for (const weight of [0, 0.5, 1, 5, 33.33, 50, 90, 100]) {
      expect(Math.abs(measureShare(splitOf(weight)) - weight)).toBeLessThan(1);
    }
  });

  test("hold for callers with short names in a row, and for the next release too", () => {
    const split = splitOf(10, { releaseId: "rel_2" });
    expect(Math.abs(measureShare(split) - 10)).toBeLessThan(0.5);
  });

  test("that rise move callers to the candidate only; that fall, only back", () => {
    fc.assert(
      fc.property(weights, weights, identities, (one, other, caller) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const before = assignVersion(splitOf(low), requestOf(caller));
        const after = assignVersion(splitOf(high), requestOf(caller));
        if (before === "candidate") expect(after).toBe("candidate");
        if (after === "stable") expect(before).toBe("stable");
      }),
    );
  });

  test("that change move no more callers than the change says", () => {
    const moved = measureShare(splitOf(30)) - measureShare(splitOf(25));
    expect(Math.abs(moved - 5)).toBeLessThan(0.5);
  });

  test("of 0 and 100 know no exception", () => {
    fc.assert(
      fc.property(identities, (caller) => {
        expect(assignVersion(splitOf(0), requestOf(caller))).toBe("stable");
        expect(assignVersion(splitOf(100), requestOf(caller))).toBe("candidate");
      }),
    );
  });
});

describe("a caller", () => {
  test("stays on a version whatever the request", () => {
    fc.assert(
      fc.property(weights, identities, identities, (weight, caller, requestId) => {
        const split = splitOf(weight);
        expect(assignVersion(split, requestOf(caller, { requestId }))).toBe(
          assignVersion(split, requestOf(caller)),
        );
      }),
    );
  });

  test("is known by the subject's header, or by the key without it", () => {
    const split = splitOf(50, { stickyBy: { kind: "subject", header: "X-User" } });
    fc.assert(
      fc.property(identities, identities, identities, (user, caller, another) => {
        const headers = new Map([["x-user", user]]);
        const version = assignVersion(split, requestOf(caller, { headers }));
        expect(assignVersion(split, requestOf(another, { headers }))).toBe(version);
        expect(version).toBe(assignVersion(splitOf(50), requestOf(user)));
        expect(assignVersion(split, requestOf(caller))).toBe(
          assignVersion(splitOf(50), requestOf(caller)),
        );
      }),
    );
  });

  test("is drawn anew with every request where the plan says so", () => {
    const split = splitOf(50, { stickyBy: { kind: "request" } });
    const versions = Array.from({ length: 100 }, (_, at) =>
      assignVersion(split, requestOf("key_1", { requestId: `req_${at}` })),
    );
    expect(new Set(versions).size).toBe(2);
  });

  test("comes early in one release and late in another", () => {
    const first = splitOf(10, { releaseId: "rel_1" });
    const second = splitOf(10, { releaseId: "rel_2" });
    let both = 0;
    for (let at = 0; at < 10_000; at++) {
      const request = requestOf(`key_${at}`);
      if (assignVersion(first, request) !== "candidate") continue;
      if (assignVersion(second, request) === "candidate") both++;
    }
    // 1 % when the draws are independent, 10 % when they are the same.
    expect(both).toBeGreaterThan(50);
    expect(both).toBeLessThan(150);
  });
});

describe("a match", () => {
  const match = { source: "header", name: "X-Beta", test: "exact", value: "yes" } as const;
  const matching = (changes: object) => splitOf(0, { matches: [{ ...match, ...changes }] });
  const request = requestOf("caller", {
    keyId: "key_beta_7",
    headers: new Map([["x-beta", "yes"]]),
    cookies: new Map([["group", "blue-2"]]),
  });

  test.each([
    ["exact header", {}, "candidate"],
    ["another value", { value: "no" }, "stable"],
    ["prefix", { test: "prefix", value: "ye" }, "candidate"],
    ["suffix", { test: "suffix", value: "es" }, "candidate"],
    ["wrong suffix", { test: "suffix", value: "ye" }, "stable"],
    ["a header that is not there", { name: "x-alpha" }, "stable"],
    ["cookie", { source: "cookie", name: "group", test: "prefix", value: "blue" }, "candidate"],
    ["a cookie in another case", { source: "cookie", name: "Group", value: "blue-2" }, "stable"],
    ["key", { source: "key", name: null, test: "prefix", value: "key_beta" }, "candidate"],
  ])("by %s", (_, changes, version) => {
    expect(assignVersion(matching(changes), request)).toBe(version);
  });

  test("never finds what a caller without a key does not have", () => {
    const split = matching({ source: "key", name: null, test: "prefix", value: "" });
    expect(assignVersion(split, requestOf("caller"))).toBe("stable");
  });
});

describe("mirroring", () => {
  const share = (split: TrafficSplit, isCounted: (at: number) => boolean = () => true) => {
    let mirrored = 0;
    let counted = 0;
    for (let at = 0; at < 100_000; at++) {
      if (!isCounted(at)) continue;
      counted++;
      if (isMirrored(split, `req_${at}`)) mirrored++;
    }
    return (100 * mirrored) / counted;
  };

  test("copies the share that it should", () => {
    for (const mirrorShare of [0, 1, 10, 50, 100]) {
      expect(Math.abs(share(splitOf(0, { mirrorShare })) - mirrorShare)).toBeLessThan(0.5);
    }
  });

  test("does not depend on which version a request is drawn for", () => {
    const split = splitOf(50, { mirrorShare: 20, stickyBy: { kind: "request" } });
    const isStable = (at: number) =>
      assignVersion(split, requestOf("caller", { requestId: `req_${at}` })) === "stable";
    expect(Math.abs(share(split, isStable) - 20)).toBeLessThan(1);
  });
});
