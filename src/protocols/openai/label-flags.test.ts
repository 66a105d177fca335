import { expect, test } from "vitest";
import { createLabelFlags } from "./label-flags.ts";

test.each(["positive", "POSITIVE", "Non_Toxic", "non toxic", "nothate", "OK", "safe"])(
  "%s never counts against a text",
  (label) => {
    expect(createLabelFlags()(label)).toBeUndefined();
  },
);

test.each(["LABEL_0", "negative", "toxic", "hate", "unsafe", "not ok"])(
  "%s counts from a half on",
  (label) => {
    expect(createLabelFlags()(label)).toBe(0.5);
  },
);

test("a model's own thresholds come first, but make no harmless label count", () => {
  const flags = createLabelFlags({ toxic: 0.8, safe: 0.1 });
  expect(flags("toxic")).toBe(0.8);
  expect(flags("safe")).toBeUndefined();
  expect(flags("constructor")).toBe(0.5);
});
