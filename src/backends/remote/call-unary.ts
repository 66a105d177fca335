import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import type { AttemptCall } from "./attempt.ts";
import type { GrpcClient } from "./grpc-client.ts";

/** A method of a service, and the messages that go in and come out. */
export interface UnaryDefinition<Request extends DescMessage, Response extends DescMessage> {
  /** e.g. `/inference.GRPCInferenceService/ModelInfer`. */
  readonly path: string;
  readonly request: Request;
  readonly response: Response;
}

/**
 * Calls a method.
 *
 * @throws SluiceError `unavailable` when the answer is no such message; otherwise see `GrpcClient.call`
 */
export async function callUnary<Request extends DescMessage, Response extends DescMessage>(
  client: GrpcClient,
  { path, request, response }: UnaryDefinition<Request, Response>,
  message: MessageShape<Request>,
  call: AttemptCall,
): Promise<MessageShape<Response>> {
  const bytes = await client.call(path, toBinary(request, message), call);
  try {
    return fromBinary(response, bytes);
  } catch (error) {
    const problem = "The model's server answers with a message that cannot be read.";
    throw new SluiceError("unavailable", problem, { cause: error });
  }
}
