import type { Lane } from "../../core/inference/lanes.ts";
import type { InferenceOptions, TextInput } from "../../core/inference/request.ts";
import type { InputLimits } from "../native/field-reader.ts";
import { FieldReader, nameOf } from "../native/field-reader.ts";
import { readModel, readTextList } from "./read-input.ts";

/** The body of `POST /v1/moderations`, decoded. */
export interface DecodedModeration {
  /** `undefined` = whichever model suits. */
  readonly model: string | undefined;
  readonly version: undefined;
  readonly inputs: readonly TextInput[];
  readonly options: InferenceOptions;
  readonly lane: Lane;
}

/**
 * Reads the parsed JSON body of `POST /v1/moderations`. `input` is a text, a list of texts, or a list of parts, which
 * together are one input (`ModerationMultiModalInput` in the types of the `openai` package 6.49); the texts of its parts
 * are read as one, a line each. Images cannot be read.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeModeration(body: unknown, limits: InputLimits): DecodedModeration {
  const read = new FieldReader(body);
  const { input } = read.fields;
  const texts =
    Array.isArray(input) && isPart(input[0])
      ? [readParts(read, input, limits)]
      : readTextList(read, input, limits);
  const model = readModel(read);
  read.assertNoProblems();
  return {
    model,
    version: undefined,
    inputs: texts.map((text) => ({ text, pair: undefined })),
    // Every label has a score in the answer, and the answer itself says what counts.
    options: { topK: 0, functionToApply: undefined, abstainBelow: 0 },
    lane: "online",
  };
}

function isPart(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readParts(read: FieldReader, parts: readonly unknown[], limits: InputLimits): string {
  const max = limits.maxTextsPerRequest;
  if (parts.length > max) {
    read.report("input", `must hold at most ${max} parts; found ${parts.length}`);
    return "";
  }
  const texts = parts.map((part, index) => {
    const field = `input[${index}]`;
    if (!isPart(part)) {
      read.report(field, `must be a part like the first one; found ${nameOf(part)}`);
      return "";
    }
    if (part["type"] === "text") return read.text(`${field}.text`, part["text"], limits);
    if (part["type"] === "image_url") {
      read.report(field, "is an image, and models here read texts; send parts of type text");
    } else {
      read.report(`${field}.type`, `must be "text"; found ${nameOf(part["type"])}`);
    }
    return "";
  });
  const text = texts.join("\n");
  return text === "" ? text : read.text("input", text, limits);
}
