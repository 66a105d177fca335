import { expect, test } from "vitest";
import {
  decodeRepositoryIndex,
  decodeRepositoryLoad,
  decodeRepositoryUnload,
  encodeRepositoryIndex,
} from "./repository.ts";

test("the index is a list with all four members", () => {
  const entry = { name: "m", version: "1.0.0", state: "READY", reason: "" } as const;
  expect(JSON.parse(encodeRepositoryIndex([entry]))).toEqual([entry]);
});

test("an empty body asks for everything, as the official client sends it", () => {
  expect(decodeRepositoryIndex(Buffer.from(""))).toEqual({ isReadyOnly: false });
  expect(decodeRepositoryIndex(Buffer.from("{}"))).toEqual({ isReadyOnly: false });
  expect(decodeRepositoryIndex(Buffer.from('{"ready":true}'))).toEqual({ isReadyOnly: true });
});

test("bodies that load and unload what there is are taken", () => {
  for (const body of ["", "{}", '{"parameters":null}', '{"parameters":{}}']) {
    decodeRepositoryLoad(Buffer.from(body));
    decodeRepositoryUnload(Buffer.from(body));
  }
  decodeRepositoryUnload(Buffer.from('{"parameters":{"unload_dependents":true}}'));
});

test.each([
  [decodeRepositoryIndex, '{"ready":1}', "ready must be true or false; found the number 1."],
  [decodeRepositoryLoad, '{"parameters":{"config":"{}"}}', "parameters.config is not supported"],
  [decodeRepositoryLoad, '{"parameters":{"file:1/m.onnx":""}}', "parameters.file is not supported"],
  [decodeRepositoryLoad, '{"parameters":[]}', "parameters must be an object; found a list."],
  [
    decodeRepositoryUnload,
    '{"parameters":{"unload_dependents":"yes"}}',
    "parameters.unload_dependents must be true or false; found a string of length 3.",
  ],
  [decodeRepositoryUnload, "[]", "body must be a JSON object."],
])("%o refuses %s", (decode, body, message) => {
  expect(() => decode(Buffer.from(body))).toThrow(message);
});
