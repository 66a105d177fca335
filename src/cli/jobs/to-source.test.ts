import { expect, test } from "vitest";
import { toSource } from "./to-source.ts";

test("an address is a source, with what the options say of its rows", () => {
  expect(toSource("https://files.example.org/a", {})).toEqual({
    url: "https://files.example.org/a",
  });
  const options = { format: "csv", textColumn: "review", idColumn: "key" };
  expect(toSource("HTTP://files.example.org/a", options)).toEqual({
    ...{ url: "HTTP://files.example.org/a", format: "csv" },
    ...{ text_column: "review", id_column: "key" },
  });
});

test.each(["reviews.csv", "./https.csv", "/data/https://a.csv", "https:a.csv"])(
  "%s is a file",
  (argument) => {
    expect(toSource(argument, {})).toBeUndefined();
  },
);
