import { describe, expect, test } from "vitest";
import type { WatchedPackage, WatchMove } from "./decide-watch.ts";
import { decideWatch, rememberLook } from "./decide-watch.ts";
import type { VersionState } from "./version-state.ts";

const NOW = 1000;
const seen: WatchedPackage = {
  ...{ fingerprint: "a", triedFingerprint: undefined, retryAtMs: undefined, isGone: false },
};
const tried: WatchedPackage = { ...seen, triedFingerprint: "a" };

test.each<[string, string, WatchedPackage | undefined, VersionState | undefined, WatchMove]>([
  ["a new one at first sight", "a", undefined, undefined, "wait"],
  ["a new one that has not changed", "a", seen, undefined, "load"],
  ["a new one that is being copied", "b", seen, undefined, "wait"],
  ["one that was gone a moment ago", "a", { ...seen, isGone: true }, undefined, "wait"],
  ["one that failed with these files", "a", tried, "failed", "nothing"],
  ["one that failed and is being mended", "b", tried, "failed", "wait"],
  ["one that failed and was mended", "b", { ...tried, fingerprint: "b" }, "failed", "load"],
  ["one that had no room, too early", "a", { ...tried, retryAtMs: NOW + 1 }, "failed", "nothing"],
  ["one that had no room, later", "a", { ...tried, retryAtMs: NOW }, "failed", "load"],
  ["one that somebody unloaded", "a", tried, "unloaded", "nothing"],
  ["one that comes back", "a", { ...tried, isGone: true }, "unloaded", "wait"],
  ["one that came back", "a", seen, "unloaded", "load"],
  ["one that serves", "a", tried, "ready", "nothing"],
  ["one that serves while its files are replaced", "b", tried, "ready", "nothing"],
  ["one whose files were replaced", "b", { ...tried, fingerprint: "b" }, "ready", "warn"],
  ["one that is asleep", "a", seen, "discovered", "nothing"],
  ["one that is being loaded", "a", seen, "loading", "nothing"],
  ["one that drains", "a", tried, "draining", "nothing"],
])("%s: %s", (_name, fingerprint, before, state, move) => {
  expect(decideWatch(fingerprint, before, state, NOW)).toBe(move);
});

describe("what is remembered", () => {
  const no = { isTried: false, retryAtMs: undefined };

  test("is what was tried, until it is tried again", () => {
    const first = rememberLook("a", undefined, { isTried: true, retryAtMs: 7 });
    expect(first).toEqual({ ...tried, retryAtMs: 7 });
    expect(rememberLook("b", first, no)).toEqual({ ...tried, fingerprint: "b", retryAtMs: 7 });
  });

  test("begins anew with a package that was gone", () => {
    expect(rememberLook("a", { ...tried, isGone: true }, no)).toEqual(seen);
  });
});
