import { SluiceError } from "../errors.ts";
import type { ModelRegistry } from "../models/registry.ts";
import type { EvidenceStore, GateSet, LabelledText } from "../ports/evidence-store.ts";

/** Names of sets: they are parts of addresses. */
export const GATE_SET_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Texts of one set at most. */
export const MAX_GATE_TEXTS = 10_000;

/** Which feedback makes a set. */
export interface CollectRequest {
  readonly model: string;
  /** Given at or after this time, milliseconds since 1970. */
  readonly sinceMs: number;
  readonly limit: number;
  /** Only what the model had wrong. */
  readonly onlyWrong: boolean;
}

/** Sets of labelled texts that versions are asked before they go live. Throws SluiceError `unavailable` while the store cannot be reached. */
export interface GateService {
  /** Makes a set, or replaces one of the same name. */
  put(name: string, texts: readonly LabelledText[]): Promise<GateSet>;
  list(): Promise<readonly GateSet[]>;
  /** @throws SluiceError `not_found` */
  find(name: string): Promise<GateSet>;
  /** @throws SluiceError `not_found` */
  read(name: string): Promise<readonly LabelledText[]>;
  /** @throws SluiceError `not_found` */
  remove(name: string): Promise<void>;
  /**
   * Makes a set of feedback whose texts are known, or replaces one.
   *
   * @throws SluiceError `not_found` for an unknown model, `invalid_argument` when there is no such feedback
   */
  collect(name: string, request: CollectRequest): Promise<GateSet>;
}

export interface GateServiceOptions {
  readonly store: () => Promise<EvidenceStore>;
  readonly registry: ModelRegistry;
  readonly epochMs: () => number;
}

/** Sets of labelled texts in the store of evidence. */
export function createGateService({ store, registry, epochMs }: GateServiceOptions): GateService {
  return {
    put: async (name, texts) => await (await store()).putGateSet(name, texts, epochMs()),
    list: async () => await (await store()).listGateSets(),
    find: async (name) => (await (await store()).findGateSet(name)) ?? unknownSet(name),
    read: async (name) => (await (await store()).readGateSet(name)) ?? unknownSet(name),
    remove: async (name) => {
      if (!(await (await store()).removeGateSet(name))) unknownSet(name);
    },
    collect: async (name, { model, sinceMs, ...options }) => {
      registry.assertKnown(model);
      const opened = await store();
      const texts = await opened.listLabelled({ model, sinceMs }, options);
      if (texts.length === 0) {
        const problem =
          "has no feedback with texts in this time; send `text` with the feedback, or set feedback.sampleRate";
        const details = [{ field: "model", problem }];
        throw new SluiceError("invalid_argument", `${model} ${problem}.`, { details });
      }
      return await opened.putGateSet(name, texts, epochMs());
    },
  };
}

function unknownSet(name: string): never {
  const message = `There is no gate set "${name}"; GET /v1/gate-sets lists them.`;
  throw new SluiceError("not_found", message);
}
