import type {
  RepositoryModelLoadRequest,
  RepositoryModelUnloadRequest,
} from "../../../generated/open_inference_pb.ts";
import { invalidField } from "../../invalid-field.ts";

/**
 * Which model is to be loaded or unloaded. KServe's clients send its name where Triton's send that of a repository.
 *
 * @throws SluiceError `invalid_argument` when neither is there
 */
export function decodeRepositoryModel(
  request: RepositoryModelLoadRequest | RepositoryModelUnloadRequest,
): string {
  const name = request.modelName || request.repositoryName;
  if (name === "") throw invalidField("model_name", "is empty; send the name of a model");
  return name;
}
