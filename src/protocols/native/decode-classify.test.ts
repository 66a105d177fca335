import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { MODEL_DEFAULTS } from "../../core/inference/request.ts";
import { decodeClassify } from "./decode-classify.ts";

const LIMITS = { maxTextCharacters: 10, maxTextsPerRequest: 3 };
const decode = (body: unknown) => decodeClassify(body, LIMITS);

/** `field problem` of everything that is wrong with a body. */
function listProblems(body: unknown): readonly string[] {
  try {
    decode(body);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    expect(error.code).toBe("invalid_argument");
    return error.details.map(({ field, problem }) => `${field} ${problem}`);
  }
  throw new Error("The body was accepted.");
}

describe("a body for /classify", () => {
  test("one text asks for nothing but the model's own choices", () => {
    expect(decode({ text: "good" })).toEqual({
      model: undefined,
      version: undefined,
      options: MODEL_DEFAULTS,
      lane: "online",
      inputs: [{ text: "good", pair: undefined }],
      isBatch: false,
    });
  });

  test("a second text makes a pair", () => {
    const inputs = [{ text: "why", pair: "because" }];
    expect(decode({ text: "why", pair: "because" })).toMatchObject({ inputs, isBatch: false });
    expect(decode({ text: "why", pair: null }).inputs).toEqual([{ text: "why", pair: undefined }]);
  });

  test("several texts are a batch, even when it is only one", () => {
    expect(decode({ texts: ["a", "b"] })).toMatchObject({
      inputs: [
        { text: "a", pair: undefined },
        { text: "b", pair: undefined },
      ],
      isBatch: true,
    });
    expect(decode({ texts: ["a"] }).isBatch).toBe(true);
  });

  test("every option arrives, and null says the same as leaving it out", () => {
    const body = {
      text: "x",
      model: "m",
      model_version: "1.0.0",
      top_k: 0,
      function_to_apply: "none",
      abstain_below: 0.4,
      lane: "bulk",
    };
    expect(decode(body)).toMatchObject({
      model: "m",
      version: "1.0.0",
      options: { topK: 0, functionToApply: "none", abstainBelow: 0.4 },
      lane: "bulk",
    });
    const nothing = Object.fromEntries(Object.keys(body).map((field) => [field, null]));
    expect(decode({ ...nothing, text: "x" })).toEqual(decode({ text: "x" }));
  });

  test("the bounds of abstain_below are allowed", () => {
    for (const abstainBelow of [0, 1]) {
      expect(decode({ text: "x", abstain_below: abstainBelow }).options).toMatchObject({
        abstainBelow,
      });
    }
  });

  test("characters are counted, not UTF-16 units", () => {
    expect(decode({ text: "👍".repeat(10) }).inputs).toHaveLength(1);
    expect(listProblems({ text: "👍".repeat(11) })).toEqual([
      "text must hold at most 10 characters; found 11",
    ]);
  });

  test.each([
    ["a text that is missing", {}, "text is missing; send a string of 1 to 10 characters"],
    ["a text that is a number", { text: 5 }, "text must be a string of 1 to 10 characters; found"],
    ["a text that is null", { text: null }, "text must be a string of 1 to 10"],
    ["an empty text", { text: "" }, "text must hold 1 to 10 characters; found an empty string"],
    ["an empty second text", { text: "x", pair: "" }, "pair must hold 1 to 10 characters"],
    ["a second text that is too long", { text: "x", pair: "y".repeat(11) }, "pair must hold at"],
    ["a second text that is a list", { text: "x", pair: ["y"] }, "pair must be a string"],
    ["no texts", { texts: [] }, "texts must be a list of 1 to 3 strings; found a list of 0"],
    ["too many texts", { texts: ["a", "b", "c", "d"] }, "texts must be a list of 1 to 3"],
    ["texts that are null", { texts: null }, "texts must be a list of 1 to 3 strings; found null"],
    ["a wrong text among them", { texts: ["a", 7] }, "texts[1] must be a string"],
    ["a pair among them", { texts: [{ text: "a", pair: "b" }] }, "texts[0] must be a string"],
    ["an abstention above 1", { text: "x", abstain_below: 1.5 }, "abstain_below must be a number"],
    ["an abstention below 0", { text: "x", abstain_below: -0.1 }, "abstain_below must be a number"],
    ["an abstention in words", { text: "x", abstain_below: "0.5" }, "abstain_below must be a"],
    ["an unknown lane", { text: "x", lane: "fast" }, "lane must be one of online, bulk; found"],
    ["a lane of another type", { text: "x", lane: ["bulk"] }, "lane must be one of online, bulk"],
    ["an unknown function", { text: "x", function_to_apply: "relu" }, "function_to_apply must be"],
    ["a negative top_k", { text: "x", top_k: -1 }, "top_k must be a whole number"],
    ["a model without a name", { text: "x", model: "" }, "model must be a string of 1 to 128"],
    [
      "an unknown field",
      { text: "x", topk: 1 },
      "topk is not a field; known are text, pair, texts",
    ],
  ])("%s is named with what was expected", (_, body, problem) => {
    expect(listProblems(body)).toEqual([expect.stringContaining(problem)]);
  });

  test("text or pair beside texts is refused, each by its name", () => {
    expect(listProblems({ text: "a", pair: "b", texts: ["c"] })).toEqual([
      "text cannot stand beside texts; send one of the two",
      "pair cannot stand beside texts; send one of the two",
    ]);
  });

  test("a body that is no object says what it is, and no message repeats a caller's text", () => {
    for (const body of [null, [], "secret text", 7, undefined]) {
      expect(listProblems(body)).toEqual([expect.stringMatching(/^body must be a JSON object/)]);
    }
    const problems = listProblems({ text: "a secret that is too long", pair: ["secret"] });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain("secret");
  });

  test("a hostile body does not get a list of a million problems", () => {
    const body = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i]));
    expect(listProblems(body)).toHaveLength(16);
  });
});
