import { item, list } from "./setting.ts";

const TARGET = {
  model: {
    type: "string",
    pattern: "^[A-Za-z0-9_-][A-Za-z0-9._-]*$",
    patternMeaning: "a model name: letters, digits, dots, underscores and hyphens, no dot first",
    description: "Model that is asked, or another graph.",
  },
  version: {
    type: "string",
    pattern: "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$",
    patternMeaning: "a version as major.minor.patch",
    description: "Its version; left out, the one that callers get who name none.",
  },
} as const;

const SHARE = { type: "number", minimum: 0, maximum: 1 } as const;

const target = item(TARGET, ["version"]);

const condition = item(
  {
    language: {
      type: "string",
      enum: ["zh", "ja", "ko"],
      description: "Language of the text, as far as its script tells.",
    },
    label: { type: "string", minLength: 1, description: "Best label of the answer so far." },
    confidenceBelow: { ...SHARE, description: "Its score is below this." },
    confidenceAtLeast: { ...SHARE, description: "Its score is this or more." },
  },
  ["language", "label", "confidenceBelow", "confidenceAtLeast"],
);

const conditionalTarget = item({ ...TARGET, when: condition }, ["version", "when"]);

const member = item(
  {
    ...TARGET,
    weight: {
      type: "number",
      minimum: 0,
      maximum: 1_000_000,
      description: "How much its answer counts; 1 when left out.",
    },
  },
  ["version", "weight"],
);

const graph = item(
  {
    name: {
      ...TARGET.model,
      description: "Name under which callers ask it, as if it were a model.",
    },
    sequence: {
      type: "array",
      items: conditionalTarget,
      maxItems: 32,
      description:
        "Models that are asked one after the other; the last one that was asked answers.",
    },
    switch: {
      type: "array",
      items: conditionalTarget,
      maxItems: 32,
      description: "Cases, of which the first whose `when` holds is asked.",
    },
    on: { ...target, description: "Classifier that `switch` decides by." },
    otherwise: { ...target, description: "What is asked when no case of `switch` holds." },
    ensemble: {
      type: "array",
      items: member,
      maxItems: 32,
      description: "Classifiers with the same labels that are asked at once.",
    },
    combine: {
      type: "string",
      enum: ["average", "vote"],
      description: "How `ensemble` makes one answer of several; average when left out.",
    },
  },
  ["sequence", "switch", "on", "otherwise", "ensemble", "combine"],
);

/** Models that are made of others. */
export const graphs = list(graph, {
  maxItems: 1000,
  description:
    "Inference graphs: several models that answer as one, each with `name` and one of `sequence`, `switch` and `ensemble`. Callers name them as they name models.",
});
