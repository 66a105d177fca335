/**
 * Writes answers.json: the tensors of every golden request, sent back in JSON and as binary data. For changes that are
 * meant; afterwards `check-answers.py` must be content.
 */
import { writeFileSync } from "node:fs";
import { encodeInfer } from "../../../../src/protocols/open-inference/encode-infer.ts";
import { toGoldenAnswer } from "./golden-answers.ts";
import { readGoldenRequests } from "./golden-requests.ts";

/** JSON has nothing for them. */
const BINARY_ONLY = ["NaN and infinities, binary", "bytes that are no text, binary"];

const answers = readGoldenRequests().flatMap(({ name, inputs }) => {
  const answer = { model: "m", version: "1.0.0", id: undefined, outputs: inputs };
  const kinds = BINARY_ONLY.includes(name) ? ["binary"] : ["binary", "JSON"];
  return kinds.map((kind) =>
    toGoldenAnswer(
      `${kind}: ${name}`,
      encodeInfer(answer, () => kind === "binary"),
    ),
  );
});
const lines = answers.map((answer) => JSON.stringify(answer));
writeFileSync(new URL("answers.json", import.meta.url), `[\n${lines.join(",\n")}\n]\n`);
