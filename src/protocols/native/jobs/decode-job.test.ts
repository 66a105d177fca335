import { expect, test } from "vitest";
import { MODEL_DEFAULTS } from "../../../core/inference/request.ts";
import { decodeJob, decodeJobList, decodeJobQuery } from "./decode-job.ts";

test("a body has rows or texts, and what they are to be asked with", () => {
  const body = { rows: ["a", { text: "b", id: "x" }], model: "m", top_k: 2 };
  expect(decodeJob({ ...body, webhook_url: "https://example.com/hook?x=1" })).toEqual({
    request: {
      model: "m",
      version: undefined,
      options: { ...MODEL_DEFAULTS, topK: 2 },
      webhookUrl: "https://example.com/hook?x=1",
    },
    rows: [
      { text: "a", pair: undefined, id: undefined },
      { text: "b", pair: undefined, id: "x" },
    ],
  });
});

test("a query says the same in words", () => {
  const request = decodeJobQuery({
    model: "m",
    top_k: "3",
    abstain_below: "0.5",
    text_column: "t",
  });
  expect(request).toMatchObject({ model: "m", options: { topK: 3, abstainBelow: 0.5 } });
});

test.each([
  [{}, "rows"],
  [{ rows: [] }, "rows"],
  [{ texts: ["a"], rows: ["b"] }, "rows"],
  [{ rows: ["a"], lane: "online" }, "lane"],
  [{ rows: ["a"], webhook_url: "ftp://example.com" }, "webhook_url"],
  [{ rows: ["a"], webhook_url: "https://user:secret@example.com" }, "webhook_url"],
  [{ rows: ["a"], top_k: -1 }, "top_k"],
])("the body %j is refused at %s", (body, field) => {
  expect(() => decodeJob(body)).toThrowError(
    expect.objectContaining({
      code: "invalid_argument",
      details: expect.arrayContaining([expect.objectContaining({ field })]),
    }),
  );
});

test.each([
  [{ top_k: "many" }, "top_k"],
  [{ abstain_below: "" }, "abstain_below"],
  [{ modell: "m" }, "modell"],
])("the query %j is refused at %s", (query: Record<string, string>, field) => {
  expect(() => decodeJobQuery(query)).toThrowError(
    expect.objectContaining({ details: [expect.objectContaining({ field })] }),
  );
});

test("a list is asked for by its length and where to go on", () => {
  expect(decodeJobList({})).toEqual({ limit: 20, after: undefined });
  expect(decodeJobList({ limit: "5", after: "job_1" })).toEqual({ limit: 5, after: "job_1" });
  for (const query of [{ limit: "0" }, { limit: "x" }, { offset: "3" }]) {
    expect(() => decodeJobList(query as Record<string, string>)).toThrow(/limit|offset/);
  }
});
