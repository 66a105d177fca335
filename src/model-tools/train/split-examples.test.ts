import { expect, test } from "vitest";
import { balanceWeights } from "./class-weights.ts";
import { splitExamples } from "./split-examples.ts";

const items = Array.from({ length: 2000 }, (_, i) => ({ text: `text number ${i}` }));

test("about the asked share is held out, and nothing is lost", () => {
  const { kept, heldOut } = splitExamples(items, 0.2, "salt");
  expect(kept.length + heldOut.length).toBe(items.length);
  expect(heldOut.length / items.length).toBeCloseTo(0.2, 1);
});

test("a text's side depends on the text alone: order, company and spelling variants do not matter", () => {
  const { heldOut } = splitExamples(items, 0.2, "salt");
  const again = splitExamples([...items].reverse().slice(0, 1500), 0.2, "salt");
  const texts = new Set(heldOut.map(({ text }) => text));
  expect(again.heldOut.every(({ text }) => texts.has(text))).toBe(true);
  const [first] = heldOut;
  const variant = { text: `${first?.text.toUpperCase()}!` };
  expect(splitExamples([variant], 0.2, "salt").heldOut).toEqual([variant]);
});

test("another salt splits otherwise", () => {
  const texts = (salt: string) => splitExamples(items, 0.2, salt).heldOut.map(({ text }) => text);
  expect(texts("one")).not.toEqual(texts("two"));
});

test("balancing gives every label the same weight and keeps the total", () => {
  const examples = [0, 0, 0, 1].map((label) => ({ text: "", label, weight: 1 }));
  const weights = balanceWeights(examples).map(({ weight }) => weight);
  expect(weights).toEqual([2 / 3, 2 / 3, 2 / 3, 2]);
});
