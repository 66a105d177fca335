/** What is told about a model. */
export interface ListedModel {
  readonly name: string;
  /** Seconds since 1970 at which it became available. */
  readonly createdSeconds: number;
}

/** A model as this dialect describes it. */
export interface ModelCard {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
}

export interface ModelList {
  readonly object: "list";
  readonly data: readonly ModelCard[];
}

/** Answer of `GET /v1/models/{model}`, not yet written: other dialects answer there too, with members of their own. */
export function toModelCard({ name, createdSeconds }: ListedModel): ModelCard {
  return { id: name, object: "model", created: Math.trunc(createdSeconds), owned_by: "sluice" };
}

/** Answer of `GET /v1/models`, not yet written. */
export function toModelList(models: readonly ListedModel[]): ModelList {
  return { object: "list", data: models.map(toModelCard) };
}
