import type { FieldReader, InputLimits } from "../native/field-reader.ts";
import { nameOf } from "../native/field-reader.ts";

/** The texts of `input`: one, or a list of them. Fields that nobody knows are passed over in this dialect. */
export function readTextList(
  read: FieldReader,
  input: unknown,
  limits: InputLimits,
): readonly string[] {
  if (!Array.isArray(input)) return [read.text("input", input, limits)];
  const max = limits.maxTextsPerRequest;
  if (input.length === 0 || input.length > max) {
    read.report("input", `must hold 1 to ${max} texts; found ${input.length}`);
    return [];
  }
  return input.map((text: unknown, index) => read.text(`input[${index}]`, text, limits));
}

/** The model's name; absent and null are the same. */
export function readModel(read: FieldReader): string | undefined {
  const model = read.fields["model"] ?? undefined;
  if (model === undefined) return undefined;
  if (typeof model === "string" && model !== "" && model.length <= 128) return model;
  read.report("model", `must be a string of 1 to 128 characters; found ${nameOf(model)}`);
  return undefined;
}
