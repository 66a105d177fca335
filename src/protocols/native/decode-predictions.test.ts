import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { MODEL_DEFAULTS } from "../../core/inference/request.ts";
import { decodePredictions } from "./decode-predictions.ts";

const LIMITS = { maxTextCharacters: 10, maxTextsPerRequest: 3 };
const decode = (body: unknown) => decodePredictions(body, LIMITS);

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

describe("a body for /v1/predictions", () => {
  test("texts and pairs may stand side by side, in order", () => {
    const inputs = ["a", { text: "b", pair: "c" }, { text: "d" }];
    expect(decode({ inputs })).toEqual({
      model: undefined,
      version: undefined,
      options: MODEL_DEFAULTS,
      lane: "online",
      inputs: [
        { text: "a", pair: undefined },
        { text: "b", pair: "c" },
        { text: "d", pair: undefined },
      ],
    });
    expect(decode({ inputs: [{ text: "d", pair: null }] }).inputs).toEqual([
      { text: "d", pair: undefined },
    ]);
  });

  test("options are those of /classify", () => {
    const body = { inputs: ["a"], model: "m", abstain_below: 0.3, lane: "bulk", top_k: 2 };
    expect(decode(body)).toMatchObject({
      model: "m",
      options: { topK: 2, abstainBelow: 0.3 },
      lane: "bulk",
    });
  });

  test.each([
    ["no inputs", {}, "inputs must be a list of 1 to 3 texts or pairs; found nothing"],
    ["an empty list", { inputs: [] }, "inputs must be a list of 1 to 3 texts or pairs; found a"],
    ["too many", { inputs: ["a", "b", "c", "d"] }, "found a list of 4"],
    ["one text without a list", { inputs: "a" }, "found a string of length 1"],
    ["a number among them", { inputs: ["a", 5] }, "inputs[1] must be a string"],
    ["null among them", { inputs: [null] }, "inputs[0] must be a string"],
    ["a list among them", { inputs: [["a", "b"]] }, "inputs[0] must be a string"],
    ["a pair without its first text", { inputs: [{ pair: "b" }] }, "inputs[0].text is missing"],
    ["an unknown field of a pair", { inputs: [{ text: "a", b: 1 }] }, "inputs[0].b is not a field"],
    ["the fields of /classify", { inputs: ["a"], text: "a" }, "text is not a field; known are inp"],
    ["an unknown lane", { inputs: ["a"], lane: "slow" }, "lane must be one of online, bulk"],
  ])("%s is named with what was expected", (_, body, problem) => {
    expect(listProblems(body)).toEqual([expect.stringContaining(problem)]);
  });

  test("texts that no model takes are left for the core, where each fails alone", () => {
    const inputs = ["a", "", "y".repeat(11), { text: "a", pair: "" }];
    expect(decode({ inputs: inputs.slice(0, 3) }).inputs).toHaveLength(3);
    expect(decode({ inputs: inputs.slice(3) }).inputs).toEqual([{ text: "a", pair: "" }]);
  });

  test("everything wrong is told together, and never more than a person reads", () => {
    const inputs = [{ text: 1, pair: 2, third: 3 }];
    expect(listProblems({ inputs, lane: 5 })).toHaveLength(4);
    const noise = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i]));
    expect(listProblems({ inputs: [{ ...noise, text: "a" }] })).toHaveLength(16);
  });
});
