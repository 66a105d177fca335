import { expect, test } from "vitest";
import type { UsableModel } from "./first-request.ts";
import { toFirstRequest } from "./first-request.ts";

const CLASSIFIER: UsableModel = { model: "reviews", task: "classification" };
const EMBEDDING: UsableModel = { model: "vectors", task: "embedding" };
const SCORER: UsableModel = { model: "ranker", task: "scoring" };
const TENSORS: UsableModel = { model: "iris", task: "tensor" };

test.each([
  ["the default model needs no name", [EMBEDDING, CLASSIFIER], "reviews", "/classify", undefined],
  ["another one is named", [CLASSIFIER], "text-classification", "/classify", "reviews"],
  ["vectors", [TENSORS, EMBEDDING], "text-classification", "/v1/predictions", "vectors"],
  [
    "a default model of tensors is passed over",
    [TENSORS, SCORER],
    "iris",
    "/v1/predictions",
    "ranker",
  ],
])("%s", (_what, models, defaultModel, path, named) => {
  const request = toFirstRequest(models, defaultModel);
  expect(request.path).toBe(path);
  expect(JSON.parse(request.body ?? "").model).toBe(named);
});

test.each([
  ["nothing is ready", []],
  ["there are only tensors", [TENSORS]],
])("where %s, one looks at what there is", (_what, models) => {
  expect(toFirstRequest(models, "text-classification")).toEqual({
    path: "/models",
    body: undefined,
  });
});
