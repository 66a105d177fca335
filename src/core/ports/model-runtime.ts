import type { Backend } from "./backend.ts";
import type { ModelPackage } from "./model-source.ts";
import type { TensorBackend } from "./tensor-backend.ts";
import type { TokenInspector } from "./token-inspector.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What a package of texts needs to run. */
export interface StartedTextModel {
  readonly kind: "text";
  /** Whether the model can be given a second text. */
  readonly readsPairs: boolean;
  /** The model runs elsewhere and was tried there with what it reads; it needs no warm-up here. */
  readonly isRemote?: boolean;
  readonly tokenizer: Tokenizer;
  readonly backend: Backend;
  /** Undefined for tokenizers whose ids have no names. */
  readonly inspector?: TokenInspector | undefined;
}

/** What a package of task `tensor` needs to run. */
export interface StartedTensorModel {
  readonly kind: "tensor";
  readonly backend: TensorBackend;
}

export type StartedModel = StartedTextModel | StartedTensorModel;

/** Starts what a package needs to run. */
export interface ModelRuntime {
  /**
   * @returns a backend that has loaded the model and, if it reads texts, run it at least once, with the package's
   * tokenizer.
   * @throws SluiceError with the reason when the package cannot run here.
   */
  start(modelPackage: ModelPackage): Promise<StartedModel>;
}
