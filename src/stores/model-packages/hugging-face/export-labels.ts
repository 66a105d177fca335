import type { FieldProblem } from "../../../core/errors.ts";
import type { Fields } from "../is-record.ts";
import { isRecord } from "../is-record.ts";

/** What transformers calls labels that nobody named. */
const UNNAMED = /^LABEL_\d+$/;
/** How many labels a configuration that does not say has: those that equal the default are not written. */
const DEFAULT_LABELS = 2;
/** More than any head of a model; a larger number is a mistake. */
const MAX_LABELS = 100_000;

/** How many outputs the classification head has. */
export function countLabels(config: Fields): number {
  const { id2label, num_labels: stated } = config;
  if (isRecord(id2label)) return Object.keys(id2label).length;
  const isCount = Number.isInteger(stated) && Number(stated) >= 1 && Number(stated) <= MAX_LABELS;
  return isCount ? Number(stated) : DEFAULT_LABELS;
}

/**
 * The labels by output index, from `id2label`, with everything that is contradictory in `id2label`, `num_labels` and
 * `label2id` noted in `problems`.
 */
export function parseExportLabels(config: Fields, problems: FieldProblem[]): readonly string[] {
  const { id2label, num_labels: stated } = config;
  const reject = (field: string, problem: string) => {
    problems.push({ field: `config.json ${field}`, problem });
  };
  const count = countLabels(config);
  if (stated !== undefined && stated !== count) {
    const rule = isRecord(id2label)
      ? `the number of entries of id2label, which is ${count}`
      : "a whole number of labels";
    reject("num_labels", `must be ${rule}; found ${JSON.stringify(stated)}`);
  }
  if (id2label === undefined || id2label === null) {
    return Array.from({ length: count }, (_, index) => `LABEL_${index}`);
  }
  if (!isRecord(id2label)) {
    reject("id2label", 'must be an object such as {"0": "negative", "1": "positive"}');
    return [];
  }
  const labels: string[] = [];
  const before = problems.length;
  for (let index = 0; index < count; index++) {
    const label = id2label[String(index)];
    const field = `id2label.${index}`;
    // Whatever else stands there may not even be one that can be made a text of.
    const text = typeof label === "string" ? label : "";
    const first = labels.indexOf(text);
    if (label === undefined) {
      const keys = Object.keys(id2label).slice(0, 8).join(", ");
      reject(field, `is missing; ${count} labels need the keys 0 to ${count - 1}; found ${keys}`);
    } else if (typeof label !== "string" || label === "") {
      reject(field, `must be a label, a string that is not empty; found ${JSON.stringify(label)}`);
    } else if (first >= 0) {
      reject(field, `repeats ${JSON.stringify(label)}, the label of ${first}; labels must differ`);
    }
    labels.push(text);
  }
  if (problems.length === before) checkInverse(config["label2id"], labels, reject);
  return labels;
}

/** `label2id` must say the same the other way round. It may be left out, or be the default that nobody replaced. */
function checkInverse(
  label2id: unknown,
  labels: readonly string[],
  reject: (field: string, problem: string) => void,
): void {
  if (!isRecord(label2id)) return;
  const isDefault = Object.keys(label2id).every((label) => UNNAMED.test(label));
  if (isDefault && !labels.some((label) => UNNAMED.test(label))) return;
  for (const [index, label] of labels.entries()) {
    const found = Object.hasOwn(label2id, label) ? label2id[label] : undefined;
    if (found === index || found === String(index)) continue;
    const said = found === undefined ? "it is missing" : `found ${JSON.stringify(found)}`;
    reject(`label2id.${label}`, `must be ${index}, as id2label says; ${said}`);
  }
}
