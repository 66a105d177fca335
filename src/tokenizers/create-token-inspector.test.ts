import { expect, test } from "vitest";
import { createTokenInspector } from "./create-token-inspector.ts";

const tokenizer = {
  encode: () => ({
    windows: [{ ids: Int32Array.of(5, 0, 1, 9), secondStart: 4 }],
    truncated: false,
  }),
};

test("names come from a vocabulary of either form, and from added tokens", async () => {
  for (const vocab of [
    { a: 0, b: 1 },
    [
      ["a", -1],
      ["b", -2],
    ],
  ]) {
    const json = { model: { vocab }, added_tokens: [{ id: 5, content: "<s>" }] };
    const tokens = await createTokenInspector(async () => ({ json, tokenizer })).inspect("ab");
    expect(tokens.map(({ id, text }) => `${id} ${text}`)).toEqual(["5 <s>", "0 a", "1 b", "9 "]);
    expect(tokens.some(({ special }) => special)).toBe(false);
  }
});

test("a file that cannot be read is tried again by the next who asks", async () => {
  let attempts = 0;
  const inspector = createTokenInspector(async () => {
    if (attempts++ === 0) throw new Error("gone");
    return { json: {}, tokenizer };
  });
  await expect(inspector.inspect("a")).rejects.toMatchObject({ code: "unavailable" });
  expect(await inspector.inspect("a")).toHaveLength(4);
  await inspector.inspect("a");
  expect(attempts).toBe(2);
});
