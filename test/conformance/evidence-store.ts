import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EvidenceStore, Feedback, KeptText } from "../../src/core/ports/evidence-store.ts";

/** Two handles on the same data, as two processes have them. */
export interface EvidenceStoresUnderTest {
  readonly first: EvidenceStore;
  readonly second: EvidenceStore;
  close(): Promise<void>;
}

/** Everything that a column of text might not take. */
const ODD_TEXT = "nul \u0000, lone \ud800, 😀, 'quotes\" and \\ and %";

/** What every driver of evidence must do. */
export function describeEvidenceStore(
  name: string,
  open: () => Promise<EvidenceStoresUnderTest>,
): void {
  describe(`evidence store: ${name}`, () => {
    let stores: EvidenceStoresUnderTest;
    let count = 0;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    const newModel = () => `model-${++count}`;
    const toText = (model: string, index: number, more: Partial<KeptText> = {}): KeptText => ({
      ...{ requestId: `req-${model}-${index}`, item: 0, model, version: "1.0.0" },
      ...{ text: `text ${index}`, pair: null, label: "good", answeredAtMs: index },
      ...more,
    });
    const toFeedback = (model: string, index: number, more: Partial<Feedback> = {}): Feedback => ({
      ...{ requestId: `req-${model}-${index}`, item: 0, model, version: "1.0.0" },
      ...{ predicted: "good", label: "good", text: null, pair: null, by: "key:a" },
      ...{ answeredAtMs: index, givenAtMs: 1000 + index },
      ...more,
    });

    test("texts are kept as they are, and found by whoever looks", async () => {
      const model = newModel();
      const odd = toText(model, 1, { text: ODD_TEXT, pair: ODD_TEXT, label: null });
      await stores.first.keepTexts([odd, toText(model, 2)], 10);
      expect(await stores.second.findText(odd.requestId, 0)).toEqual(odd);
      expect(await stores.second.findText(odd.requestId, 1)).toBeUndefined();
      expect(await stores.second.listTexts(model, 10)).toEqual([toText(model, 2), odd]);
      expect(await stores.second.listTexts(model, 1)).toEqual([toText(model, 2)]);
      expect(await stores.second.listTexts("nobody", 1)).toEqual([]);
    });

    test("of each model the newest texts stay, and no text is kept twice", async () => {
      const [one, other] = [newModel(), newModel()];
      await stores.first.keepTexts([toText(other, 1)], 3);
      const texts = Array.from({ length: 1200 }, (_, index) => toText(one, index));
      await stores.first.keepTexts(texts, 3);
      await stores.second.keepTexts([toText(one, 1199, { text: "another" })], 3);
      const kept = await stores.first.listTexts(one, 10);
      expect(kept.map(({ text }) => text)).toEqual(["text 1199", "text 1198", "text 1197"]);
      expect(await stores.first.listTexts(other, 10)).toHaveLength(1);
      await stores.first.keepTexts([], 3);
    });

    test("feedback is counted by version, and corrected", async () => {
      const model = newModel();
      const wrong = { label: "bad" };
      await stores.first.giveFeedback(toFeedback(model, 1));
      await stores.first.giveFeedback(toFeedback(model, 2, wrong));
      await stores.first.giveFeedback(toFeedback(model, 3, { version: "2.0.0", ...wrong }));
      await stores.first.giveFeedback(toFeedback(model, 4, { predicted: null }));
      const all = { model, sinceMs: 0 };
      expect(await stores.second.countFeedback(all)).toEqual([
        { version: "1.0.0", right: 1, wrong: 2 },
        { version: "2.0.0", right: 0, wrong: 1 },
      ]);
      await stores.second.giveFeedback(toFeedback(model, 2));
      expect(await stores.first.countFeedback(all)).toContainEqual({
        ...{ version: "1.0.0", right: 2, wrong: 1 },
      });
      expect(await stores.first.countFeedback({ model, sinceMs: 1003 })).toEqual([
        { version: "1.0.0", right: 0, wrong: 1 },
        { version: "2.0.0", right: 0, wrong: 1 },
      ]);
      expect(await stores.first.countFeedback({ model: "nobody", sinceMs: 0 })).toEqual([]);
    });

    test("labelled texts are those whose text is known", async () => {
      const model = newModel();
      await stores.first.giveFeedback(toFeedback(model, 1));
      await stores.first.giveFeedback(toFeedback(model, 2, { text: ODD_TEXT }));
      await stores.first.giveFeedback(
        toFeedback(model, 3, { text: "no", pair: "b", label: "bad" }),
      );
      const [bad, good] = [
        { text: "no", pair: "b", label: "bad" },
        { text: ODD_TEXT, pair: null, label: "good" },
      ];
      const all = { model, sinceMs: 0 };
      const list = (limit: number, onlyWrong: boolean) =>
        stores.second.listLabelled(all, { limit, onlyWrong });
      expect(await list(10, false)).toEqual([bad, good]);
      expect(await list(1, false)).toEqual([bad]);
      expect(await list(10, true)).toEqual([bad]);
    });

    test("old feedback is forgotten", async () => {
      const model = newModel();
      await stores.first.giveFeedback(toFeedback(model, 1, { givenAtMs: 10 }));
      await stores.first.giveFeedback(toFeedback(model, 2, { givenAtMs: 20 }));
      expect(await stores.first.forgetFeedback(20)).toBe(1);
      expect(await stores.first.countFeedback({ model, sinceMs: 0 })).toEqual([
        { version: "1.0.0", right: 1, wrong: 0 },
      ]);
    });

    test("a gate set is replaced as a whole, and read in its order", async () => {
      const set = `set-${++count}`;
      const texts = Array.from({ length: 1100 }, (_, index) => ({
        ...{ text: `${ODD_TEXT} ${index}`, pair: index % 2 ? "pair" : null, label: `${index % 3}` },
      }));
      const made = await stores.first.putGateSet(set, texts, 100);
      expect(made).toEqual({ name: set, size: 1100, updatedAtMs: 100 });
      expect(await stores.second.readGateSet(set)).toEqual(texts);
      const [only] = texts;
      if (only === undefined) throw new Error("There are texts.");
      const again = await stores.second.putGateSet(set, [only], 100);
      expect(again).toEqual({ name: set, size: 1, updatedAtMs: 101 });
      expect(await stores.first.readGateSet(set)).toEqual([only]);
      expect(await stores.first.findGateSet(set)).toEqual(again);
      expect(await stores.first.listGateSets()).toContainEqual(again);
      expect(await stores.first.removeGateSet(set)).toBe(true);
      expect(await stores.second.removeGateSet(set)).toBe(false);
      expect(await stores.second.findGateSet(set)).toBeUndefined();
      expect(await stores.second.readGateSet(set)).toBeUndefined();
    });

    test("whoever reads a set while it is replaced gets one or the other", async () => {
      const set = `set-${++count}`;
      const fill = (label: string) =>
        Array.from({ length: 700 }, () => ({ text: "t", pair: null, label }));
      await stores.first.putGateSet(set, fill("0"), 1);
      for (let round = 1; round <= 5; round++) {
        const [, read] = await Promise.all([
          stores.first.putGateSet(set, fill(`${round}`), round),
          stores.second.readGateSet(set),
        ]);
        expect(read).toHaveLength(700);
        expect(new Set(read?.map(({ label }) => label)).size).toBe(1);
      }
    });
  });
}
