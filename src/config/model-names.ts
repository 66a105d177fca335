/** What models may be called in settings. */
export const MODEL_NAME = {
  type: "string",
  pattern: "^[A-Za-z0-9_-][A-Za-z0-9._-]*$",
  patternMeaning: "a model name: letters, digits, dots, underscores and hyphens, no dot first",
} as const;

/** What versions may be called in settings. */
export const MODEL_VERSION = {
  type: "string",
  pattern: "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$",
  patternMeaning: "a version as major.minor.patch",
} as const;
