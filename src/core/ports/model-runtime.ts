import type { Backend } from "./backend.ts";
import type { ModelPackage } from "./model-source.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Starts what a package needs to run. */
export interface ModelRuntime {
  /**
   * @returns the package's tokenizer and a backend that has loaded the model and run it at least once.
   * @throws SluiceError with the reason when the package cannot run here.
   */
  start(modelPackage: ModelPackage): Promise<{ tokenizer: Tokenizer; backend: Backend }>;
}
