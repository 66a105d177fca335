import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChoiceStore } from "../../src/core/ports/choice-store.ts";

/** Two handles on the same data, as two processes have them. */
export interface ChoiceStoresUnderTest {
  readonly first: ChoiceStore;
  readonly second: ChoiceStore;
  close(): Promise<void>;
}

/** What every driver of choices must do. */
export function describeChoiceStore(
  name: string,
  open: () => Promise<ChoiceStoresUnderTest>,
): void {
  describe(`choice store: ${name}`, () => {
    let stores: ChoiceStoresUnderTest;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    test("is empty at first", async () => {
      expect(await stores.first.readRevision()).toBe(0);
      expect(await stores.first.readAll()).toEqual(new Map());
    });

    test("what one process chooses the other one sees, with another number", async () => {
      const before = await stores.second.readRevision();
      const chosen = { pin: "1.0.0", pinnedAtMs: 5, labels: { canary: "2.0.0" } };
      expect(await stores.first.change("reviews", () => chosen)).toEqual(chosen);
      expect(await stores.second.readAll()).toEqual(new Map([["reviews", chosen]]));
      expect(await stores.second.readRevision()).toBeGreaterThan(before);
    });

    test("a change is made of what was chosen, and a model without any choice is gone", async () => {
      await stores.first.change("spam", (before) => ({ ...before, pin: "1.0.0" }));
      await stores.second.change("spam", (before) => ({
        ...before,
        labels: { own: "3.0.0" },
      }));
      const both = { pin: "1.0.0", pinnedAtMs: null, labels: { own: "3.0.0" } };
      expect((await stores.first.readAll()).get("spam")).toEqual(both);
      const before = await stores.first.readRevision();
      await stores.first.change("spam", () => ({ pin: null, pinnedAtMs: null, labels: {} }));
      expect((await stores.second.readAll()).has("spam")).toBe(false);
      expect(await stores.second.readRevision()).toBeGreaterThan(before);
    });

    test("of changes at once none is lost", async () => {
      const add = (label: string, store: ChoiceStore) =>
        store.change("busy", (before) => ({
          ...before,
          labels: { ...before.labels, [label]: "1.0.0" },
        }));
      const labels = Array.from({ length: 20 }, (_, index) => `label-${index}`);
      await Promise.all(
        labels.map((label, index) => add(label, index % 2 ? stores.first : stores.second)),
      );
      const found = (await stores.first.readAll()).get("busy");
      expect(Object.keys(found?.labels ?? {}).sort()).toEqual(labels.toSorted());
    });

    test("what throws changes nothing", async () => {
      const before = await stores.first.readAll();
      const fail = () => {
        throw new Error("no");
      };
      await expect(stores.first.change("reviews", fail)).rejects.toThrow();
      expect(await stores.first.readAll()).toEqual(before);
    });
  });
}
