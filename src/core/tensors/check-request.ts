import type { FieldProblem } from "../errors.ts";
import { SluiceError } from "../errors.ts";
import type { Tensor, TensorSignature, TensorSpec } from "../ports/tensor.ts";
import { findTensorProblem } from "./tensor-data.ts";

/** More problems than these help nobody. */
const MAX_PROBLEMS = 16;

/**
 * Checks inputs and wanted outputs against what a model reads and writes. Pure, and the same for every protocol: fields
 * are called `inputs.<name>` and `outputs[<index>]`.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function assertRequestFits(
  inputs: readonly Tensor[],
  outputs: readonly string[] | undefined,
  signature: TensorSignature,
): void {
  const names = inputs.map(({ name }) => name);
  const problems = [
    ...findNameProblems(names, signature.inputs),
    ...inputs.flatMap((input) => findInputProblems(input, signature.inputs)),
    ...findOutputProblems(outputs ?? [], signature.outputs),
  ];
  throwProblems(problems);
}

/**
 * The same for the names of inputs alone, for decoders that must know them before they can read the elements.
 *
 * @throws SluiceError `invalid_argument` with one detail per missing, unknown or repeated input
 */
export function assertInputNames(names: readonly string[], signature: TensorSignature): void {
  throwProblems(findNameProblems(names, signature.inputs));
}

function findNameProblems(
  names: readonly string[],
  specs: readonly TensorSpec[],
): readonly FieldProblem[] {
  const given = new Set(names);
  const problems: FieldProblem[] = [];
  for (const spec of specs) {
    if (given.has(spec.name) || spec.isOptional) continue;
    problems.push({ field: toField(spec.name), problem: `is missing: ${describeSpec(spec)}` });
  }
  const known = new Set(specs.map(({ name }) => name));
  for (const [index, name] of names.entries()) {
    const field = toField(name);
    if (!known.has(name)) {
      problems.push({
        field,
        problem: `is no input of this model; it has ${[...known].join(", ")}`,
      });
    } else if (names.indexOf(name) < index) {
      problems.push({ field, problem: "is given twice" });
    }
  }
  return problems;
}

/** One at most: whatever follows from the first would only confuse. */
function findInputProblems(input: Tensor, specs: readonly TensorSpec[]): readonly FieldProblem[] {
  const spec = specs.find(({ name }) => name === input.name);
  if (spec === undefined) return [];
  const field = toField(input.name);
  if (input.datatype !== spec.datatype) {
    return [{ field, problem: `must be ${spec.datatype}; found ${input.datatype}` }];
  }
  const problem = findTensorProblem(input) ?? findShapeProblem(input.shape, spec);
  return problem === undefined ? [] : [{ field, problem }];
}

function findShapeProblem(shape: readonly number[], spec: TensorSpec): string | undefined {
  const { shape: wanted } = spec;
  if (wanted === undefined) return undefined;
  const fits =
    shape.length === wanted.length &&
    wanted.every((size, axis) => size === null || size === shape[axis]);
  if (fits) return undefined;
  return `must have the shape ${describeShape(wanted)}; found [${shape.join(", ")}]`;
}

function findOutputProblems(
  names: readonly string[],
  specs: readonly TensorSpec[],
): readonly FieldProblem[] {
  const known = specs.map(({ name }) => name);
  return names.flatMap((name, index) => {
    const field = `outputs[${index}]`;
    if (!known.includes(name)) {
      return [{ field, problem: `is no output of this model; it has ${known.join(", ")}` }];
    }
    return names.indexOf(name) < index ? [{ field, problem: "is asked for twice" }] : [];
  });
}

/** For people: `[?, 4]`, where `?` is any size. */
export function describeShape(shape: TensorSpec["shape"]): string {
  return shape === undefined ? "[…]" : `[${shape.map((size) => size ?? "?").join(", ")}]`;
}

/** For people: `FP32 [?, 4]`. */
export function describeSpec({ datatype, shape }: TensorSpec): string {
  return `${datatype} ${describeShape(shape)}`;
}

/** Names that a caller made up may be of any length. */
function toField(name: string): string {
  return `inputs.${name.slice(0, 64)}`;
}

function throwProblems(problems: readonly FieldProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  throw new SluiceError("invalid_argument", `${first.field} ${first.problem}${more}.`, {
    details: problems.slice(0, MAX_PROBLEMS),
  });
}
