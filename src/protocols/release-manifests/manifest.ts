/** An object of Kubernetes, as it is written in YAML. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** Where a release is to happen in a cluster. */
export interface ReleaseTarget {
  /** Name of the Deployment that serves the model, and of its Service. */
  readonly name: string;
  readonly namespace: string;
  /** Port of the Service. */
  readonly port: number;
  /** Address of a metrics server that speaks PromQL and scrapes the pods. */
  readonly prometheus: string;
}

/** A plan in the words of another program. */
export interface ExportedPlan {
  readonly objects: readonly Manifest[];
  /** What of the plan that program cannot do, or does otherwise; whole sentences. */
  readonly losses: readonly string[];
}

export function metadataOf(name: string, { namespace }: ReleaseTarget): Manifest["metadata"] {
  return { name, namespace, labels: { "app.kubernetes.io/managed-by": "sluice" } };
}

/** Conditions on headers as Istio and Flagger have them; both are RE2 where they are expressions. */
export type HeaderCondition =
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly regex: string };
