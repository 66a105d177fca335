import { expect, test } from "vitest";
import { createLabelFlags } from "./label-flags.ts";

const harmless = ["positive", "non-toxic", "not_hate"];
const flags = createLabelFlags({ harmless, thresholds: { toxic: 0.8, positive: 0.1 } });

test.each(["positive", "POSITIVE", "Non_Toxic", "non toxic", " not-hate"])(
  "%s never counts against a text, however it is written",
  (label) => {
    expect(flags(label)).toBeUndefined();
  },
);

test.each(["LABEL_0", "negative", "hate", "nonpositive", "constructor"])(
  "%s counts from a half on",
  (label) => {
    expect(flags(label)).toBe(0.5);
  },
);

test("a threshold that is stated is taken", () => {
  expect(flags("toxic")).toBe(0.8);
});
