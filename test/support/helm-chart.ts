import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { findProgram } from "./find-program.ts";
import { pickText } from "./pick.ts";

/** The chart's folder. */
export const CHART = fileURLToPath(new URL("../../deploy/helm/sluice", import.meta.url));

/** Namespace that charts are rendered for. */
export const NAMESPACE = "prod";

/** The program `helm`, by `PATH` or `TEST_HELM`; undefined where there is none. */
export const HELM = findProgram("helm", "TEST_HELM");

/** What the name of a suite ends with where it is skipped. */
export const NO_HELM = HELM === undefined ? " [skipped: no helm, and TEST_HELM names none]" : "";

/** A rendered object, with what names it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly document: unknown;
}

/** What to render: `--values` files and `--set` words. */
export interface ChartValues {
  readonly files?: readonly string[];
  readonly set?: readonly string[];
}

/**
 * Renders the chart as `helm template` does.
 *
 * @throws Error with what helm printed, when it refuses
 */
export function renderChart({ files = [], set = [] }: ChartValues): readonly Manifest[] {
  const words = [
    ["template", "sluice", CHART, "--namespace", NAMESPACE, "--kube-version", "1.32.0"],
    ...files.map((file) => ["--values", `${CHART}/examples/${file}`]),
    ...set.map((word) => ["--set", word]),
  ].flat();
  const printed = execFileSync(HELM ?? "helm", words, { stdio: "pipe", maxBuffer: 2 ** 26 });
  return parseAllDocuments(printed.toString(), { uniqueKeys: true }).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const value: unknown = document.toJS();
    if (value === null) return [];
    const apiVersion = pickText(value, "apiVersion");
    const name = pickText(value, "metadata.name");
    return [{ apiVersion, kind: pickText(value, "kind"), name, document: value }];
  });
}

/** Values without which the defaults refuse. */
export const SECRET = ["secrets.existingSecret=sluice"];
/** Sets of values that every test of the chart holds for. */
export const RENDERINGS: readonly (readonly [string, ChartValues])[] = [
  ["the defaults", { set: SECRET }],
  [
    "roles that share only records",
    {
      set: [
        ...SECRET,
        "config.cache.store.driver=none",
        "config.rateLimit.store.driver=memory",
        "config.rateLimit.requests=0",
      ],
    },
  ],
  ["one server that needs nothing else", { files: ["standalone.yaml"], set: SECRET }],
  ["everything switched on", { files: ["everything.yaml"] }],
  ["a release by Flagger", { files: ["canary.yaml"] }],
  [
    "nothing but the servers",
    {
      files: ["standalone.yaml"],
      set: [
        "config.auth.allowAnonymous=true",
        "standalone.persistence.enabled=false",
        "defaults.pdb.enabled=false",
        "networkPolicy.enabled=false",
        "serviceAccount.create=false",
        "topologySpread.enabled=false",
      ],
    },
  ],
];
