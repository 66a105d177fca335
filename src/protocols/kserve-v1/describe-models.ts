/** Answer of `GET /v1/models/<model>` in KServe's first protocol, not yet written: other dialects answer there too. */
export function describeModel(name: string, ready: boolean) {
  return { name, ready };
}

/** Answer of `GET /v1/models`, not yet written either. */
export function describeModels(names: readonly string[]) {
  return { models: names };
}
