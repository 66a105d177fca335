import { expect, test } from "vitest";
import { sumSamples, toBatchFigures } from "./server-metrics.ts";

const PAGE = `# HELP ai_model_tokens_total Ids run, without padding.
# TYPE ai_model_tokens_total counter
ai_model_tokens_total{model_version="a:1.0.0"} 40
ai_model_tokens_total{model_version="b:1.0.0"} 2.5
ai_model_tokens_total_created{model_version="a:1.0.0"} 1000
up 1
`;

test("samples of a name are added up over their labels, and no other name's", () => {
  expect(sumSamples(PAGE, "ai_model_tokens_total")).toBe(42.5);
  expect(sumSamples(PAGE, "up")).toBe(1);
  expect(sumSamples(PAGE, "down")).toBe(0);
});

test("batch figures are those of the time in between", () => {
  const before = { texts: 10, batches: 5, ids: 100, paddingIds: 50 };
  const after = { texts: 30, batches: 10, ids: 300, paddingIds: 70 };
  expect(toBatchFigures(before, after)).toEqual({
    paddingRatio: 1.1,
    textsPerBatch: 4,
    idsPerText: 10,
  });
  expect(toBatchFigures(before, before)).toBeUndefined();
});
