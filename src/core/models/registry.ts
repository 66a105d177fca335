import { SluiceError } from "../errors.ts";
import { detectWrittenLanguage } from "../text/written-language.ts";
import { notFound, notReadyMessage, wrongKind } from "./registry-errors.ts";
import type { RoutableVersion, RoutingTable } from "./routing-table.ts";
import { buildRoutingTable } from "./routing-table.ts";
import type { ServingVersion } from "./serving-version.ts";
import type { TensorVersion } from "./tensor-version.ts";
import type { VersionChoices } from "./version-choices.ts";
import { describeKindChange, toVersionKind } from "./version-kind.ts";
import { compareVersions } from "./version-number.ts";
import type { VersionState } from "./version-state.ts";
import { assertTransition } from "./version-state.ts";

/** What people see of a version. */
export interface VersionStatus {
  readonly model: string;
  readonly version: string;
  readonly state: VersionState;
  /** Why it failed; only in state `failed`. */
  readonly reason: string | undefined;
  readonly isDefault: boolean;
  /** Why it does not answer who names no version, though it is ready and higher than the one that does. */
  readonly notice: string | undefined;
  /** Names that callers may use for it, in the order of the alphabet. */
  readonly versionLabels: readonly string[];
  /** Set while a model of texts is ready or drains. */
  readonly serving: ServingVersion | undefined;
  /** Set while a tensor model is ready or drains. */
  readonly tensors: TensorVersion | undefined;
}

interface Entry {
  readonly model: string;
  readonly version: string;
  state: VersionState;
  reason: string | undefined;
  serving: ServingVersion | undefined;
  tensors: TensorVersion | undefined;
}

/** A version that takes requests from now on, takes none any more, or cannot. */
export interface ModelChange {
  readonly model: string;
  readonly version: string;
  readonly state: "ready" | "failed" | "unloaded";
  /** Why it failed. */
  readonly reason: string | undefined;
}

export interface RegistryOptions {
  /** Loads a model that is asleep; settles when it is there, or failed. Never rejects. */
  readonly load: (model: string) => Promise<void>;
  /** Hears of every change that callers notice. */
  readonly changed: (change: ModelChange) => void;
  /** Model → version that answers requests which name none; default: the highest ready version. */
  readonly pinned: Readonly<Record<string, string>>;
  /** Send a text to another version when the default one was not made for its language. */
  readonly byLanguage: boolean;
}

/** When callers who came to a model that is being loaded may come again. */
const WAKE_RETRY_MS = 1000;

/** Knows every version and its state, and finds the one that answers a request. */
export class ModelRegistry {
  readonly #models = new Map<string, Map<string, Entry>>();
  readonly #options: RegistryOptions;
  #routes: RoutingTable = new Map();
  #choices: VersionChoices = new Map();
  #released: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map();
  /** While the server starts the highest version answers; what comes later is what `onNew` is about. */
  #onNew: "highest" | "switch" | "hold" = "highest";

  constructor(options: Partial<RegistryOptions> = {}) {
    this.#options = {
      pinned: {},
      byLanguage: true,
      load: async () => {},
      changed: () => {},
      ...options,
    };
  }

  /** From now on, versions that get ready are new. */
  startIsOver(onNew: "switch" | "hold"): void {
    this.#onNew = onNew;
  }

  /** From now on requests go by these pins and labels. */
  choose(choices: VersionChoices): void {
    this.#choices = choices;
    this.#rebuildRoutes();
  }

  /** Labels of versions in releases, by model; what people chose comes first. */
  labelReleased(labels: ReadonlyMap<string, Readonly<Record<string, string>>>): void {
    this.#released = labels;
  }

  /** What people chose for a model; undefined when nothing. */
  choiceOf(model: string) {
    return this.#choices.get(model);
  }

  /** The version with this label; undefined when there is none. `stable` is the default one unless somebody chose another. */
  findLabelled(model: string, label: string): string | undefined {
    const chosen = this.#choices.get(model)?.labels ?? {};
    if (Object.hasOwn(chosen, label)) return chosen[label];
    const released = this.#released.get(model) ?? {};
    if (Object.hasOwn(released, label)) return released[label];
    return label === "stable" ? this.#routes.get(model)?.defaultVersion : undefined;
  }

  /** @throws SluiceError `internal` when the version is already known. */
  discover(model: string, version: string): void {
    const versions = this.#models.get(model) ?? new Map<string, Entry>();
    if (versions.has(version)) {
      throw new SluiceError("internal", `${model} ${version} was discovered twice.`);
    }
    this.#models.set(model, versions);
    versions.set(version, {
      model,
      version,
      state: "discovered",
      reason: undefined,
      serving: undefined,
      tensors: undefined,
    });
  }

  /** Moves a version along; use `activate` and `fail` for the two states that carry something. */
  transition(model: string, version: string, to: VersionState): void {
    const entry = this.#entry(model, version);
    assertTransition(entry.state, to);
    entry.state = to;
    if (to === "discovered") entry.reason = undefined;
    if (to === "unloaded") {
      entry.serving = undefined;
      entry.tensors = undefined;
    }
    this.#rebuildRoutes();
    if (to === "ready" || to === "failed" || to === "unloaded") {
      this.#options.changed({ model, version, state: to, reason: entry.reason });
    }
  }

  /** From `warming` to `ready`: from now on requests reach it. */
  activate(serving: ServingVersion): void {
    const { name, version } = serving.manifest;
    this.#entry(name, version).serving = serving;
    this.transition(name, version, "ready");
  }

  /** The same for a tensor model. */
  activateTensors(tensors: TensorVersion): void {
    const { name, version } = tensors.manifest;
    this.#entry(name, version).tensors = tensors;
    this.transition(name, version, "ready");
  }

  fail(model: string, version: string, reason: string): void {
    this.#entry(model, version).reason = reason;
    this.transition(model, version, "failed");
  }

  /** Nobody knows a version any more that does not serve. Nothing when it does, or is on its way. */
  forget(model: string, version: string): void {
    const versions = this.#models.get(model);
    const state = versions?.get(version)?.state;
    if (state !== "failed" && state !== "discovered" && state !== "unloaded") return;
    versions?.delete(version);
    if (versions?.size === 0) this.#models.delete(model);
  }

  /**
   * The version that answers a request about texts.
   *
   * @throws SluiceError `not_found` naming what exists; `unavailable` when the version is known but not ready;
   * `invalid_argument` when it reads tensors.
   */
  resolve(model: string, version: string | undefined): ServingVersion {
    const entry = this.#find(model, version);
    if (entry.state === "ready") {
      if (entry.serving !== undefined) return entry.serving;
      throw wrongKind(
        entry,
        'tensors, not texts: send "inputs" with POST /v1/predictions as an object of tensors by name',
      );
    }
    throw new SluiceError("unavailable", notReadyMessage(entry));
  }

  /**
   * The version that answers a request of tensors. Texts are never looked at, so language has no say in it.
   *
   * @throws SluiceError as `resolve`, `invalid_argument` when it reads texts
   */
  resolveTensors(model: string, version: string | undefined): TensorVersion {
    const entry = this.#find(model, version);
    if (entry.state === "ready") {
      if (entry.tensors !== undefined) return entry.tensors;
      throw wrongKind(entry, 'texts, not tensors: send "inputs" as a list of texts');
    }
    throw new SluiceError("unavailable", notReadyMessage(entry));
  }

  /**
   * The version that answers, of either kind: one of the two is there.
   *
   * @throws SluiceError `not_found`, `unavailable` as `resolve`
   */
  resolveAny(
    model: string,
    version: string | undefined,
  ): Pick<VersionStatus, "serving" | "tensors"> {
    const entry = this.#find(model, version);
    if (entry.state === "ready") return entry;
    throw new SluiceError("unavailable", notReadyMessage(entry));
  }

  /**
   * The version for a text whose caller named none: `serving` itself, unless it was not made for the language that the
   * text is written in and another ready version was.
   */
  resolveLanguage(serving: ServingVersion, text: string): ServingVersion {
    const { name } = serving.manifest;
    const languageVersions = this.#routes.get(name)?.languageVersions;
    if (languageVersions === undefined || languageVersions.size === 0) return serving;
    const language = detectWrittenLanguage(text);
    const version = language === undefined ? undefined : languageVersions.get(language);
    if (version === undefined) return serving;
    return this.#models.get(name)?.get(version)?.serving ?? serving;
  }

  /** @throws SluiceError `not_found` naming what exists */
  assertKnown(model: string): void {
    if (this.#models.has(model)) return;
    throw notFound(`There is no model "${model}".`, "model", [...this.#models.keys()]);
  }

  /**
   * Has a model loaded that waits for somebody to ask for it.
   *
   * @returns undefined when there is nothing to wait for; otherwise what settles when the model is there, or failed
   */
  wake(model: string): Promise<void> | undefined {
    return this.#isAsleep(model) ? this.#options.load(model) : undefined;
  }

  /** `undefined` for a version that nobody has discovered. */
  stateOf(model: string, version: string): VersionState | undefined {
    return this.#models.get(model)?.get(version)?.state;
  }

  /** Every version, by model and then by number. */
  list(): readonly VersionStatus[] {
    const entries = [...this.#models.values()].flatMap((versions) => [...versions.values()]);
    entries.sort(
      (a, b) => a.model.localeCompare(b.model, "en") || compareVersions(a.version, b.version),
    );
    return entries.map((entry) => this.#toStatus(entry));
  }

  #toStatus(entry: Entry): VersionStatus {
    const { model, version } = entry;
    const current = this.#routes.get(model)?.defaultVersion;
    const { labels = {} } = this.#choices.get(model) ?? {};
    const names = new Set([
      ...Object.keys(labels),
      ...Object.keys(this.#released.get(model) ?? {}),
    ]);
    const versionLabels = [...names].filter((label) => this.findLabelled(model, label) === version);
    return {
      ...entry,
      isDefault: current === version,
      notice: current === undefined ? undefined : this.#noticeOf(entry, current),
      versionLabels: versionLabels.sort(),
    };
  }

  /** Only where somebody could expect that it answers. */
  #noticeOf(entry: Entry, current: string): string | undefined {
    const { model, version, state } = entry;
    if (state !== "ready" || compareVersions(version, current) <= 0) return undefined;
    const answering = this.#models.get(model)?.get(current);
    const change = answering === undefined ? undefined : describeKindChange(answering, entry);
    const fix = "pin it or start a release to have it answer";
    if (change !== undefined) return `It ${change}, compared with ${current}; ${fix}.`;
    return this.#onNew === "hold" ? `${current} goes on answering; ${fix}.` : undefined;
  }

  #isAsleep(model: string): boolean {
    if (this.#routes.has(model)) return false;
    const versions = [...(this.#models.get(model)?.values() ?? [])];
    return versions.some(({ state }) => state === "discovered");
  }

  #find(model: string, version: string | undefined): Entry {
    const versions = this.#models.get(model);
    this.assertKnown(model);
    const wanted = version ?? this.#routes.get(model)?.defaultVersion;
    if (this.#isAsleep(model)) {
      void this.#options.load(model);
      const message = `The model "${model}" is loaded when somebody asks for it, which is now; try again.`;
      throw new SluiceError("unavailable", message, { retryAfterMs: WAKE_RETRY_MS });
    }
    if (wanted === undefined) {
      throw new SluiceError("unavailable", `No version of model "${model}" is ready.`);
    }
    const entry = versions?.get(wanted) ?? versions?.get(this.findLabelled(model, wanted) ?? "");
    if (entry !== undefined) return entry;
    const message = `There is no version "${wanted}" of model "${model}".`;
    throw notFound(message, "model_version", [...(versions?.keys() ?? [])].sort(compareVersions));
  }

  #entry(model: string, version: string): Entry {
    const entry = this.#models.get(model)?.get(version);
    if (entry === undefined) throw new SluiceError("internal", `${model} ${version} is unknown.`);
    return entry;
  }

  #rebuildRoutes(): void {
    const ready: RoutableVersion[] = [];
    for (const versions of this.#models.values()) {
      for (const entry of versions.values()) {
        const { model, version, state, serving } = entry;
        if (state !== "ready") continue;
        const languages = serving?.manifest.languages ?? [];
        ready.push({ model, version, languages, kind: toVersionKind(entry) });
      }
    }
    const { byLanguage } = this.#options;
    const pinned = { ...this.#options.pinned };
    for (const [model, { pin }] of this.#choices) if (pin !== null) pinned[model] = pin;
    this.#routes = buildRoutingTable(
      ready,
      { pinned, byLanguage, onNew: this.#onNew },
      this.#routes,
    );
  }
}
