/** Something that is wrong with a model. */
export interface ModelFinding {
  /** error: runtimes refuse the model or answer wrongly. warning: works, but is worth a look. */
  readonly severity: "error" | "warning";
  /** What it is about: the name of a tensor, node or value, or `model`. */
  readonly subject: string;
  /** What was expected and what was found, with the way out where there is one. */
  readonly problem: string;
}

export function createError(subject: string, problem: string): ModelFinding {
  return { severity: "error", subject, problem };
}

export function createWarning(subject: string, problem: string): ModelFinding {
  return { severity: "warning", subject, problem };
}
