import type { DescMessage, DescMethod, MessageShape } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";
import { createMessageDecoder } from "../../protocols/message-decoder.ts";
import type { Call } from "../call.ts";
import type { GrpcMethod, StreamMethod, UnaryMethod } from "../grpc-method.ts";

/** A method as the generated code describes it. */
type Described<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly input: Input;
  readonly output: Output;
};

type Handle<Input extends DescMessage, Output extends DescMessage> = (
  message: MessageShape<Input>,
  call: Call,
) => MessageShape<Output> | Promise<MessageShape<Output>>;

/** A method of one message in and one out, in terms of its messages. */
export function unaryMethod<Input extends DescMessage, Output extends DescMessage>(
  method: Described<Input, Output>,
  access: GrpcMethod["access"],
  handle: Handle<Input, Output>,
): UnaryMethod {
  const decode = createMessageDecoder(method.input);
  return {
    kind: "unary",
    path: pathOf(method),
    access,
    handle: async (bytes, call) => {
      const answer = await handle(decode(bytes), call);
      return toBinary(method.output, answer);
    },
  };
}

/** A method of streams in both directions, one answer for each message. */
export function streamMethod<Input extends DescMessage, Output extends DescMessage>(
  method: Described<Input, Output>,
  access: GrpcMethod["access"],
  handle: Handle<Input, Output>,
): StreamMethod {
  return { ...unaryMethod(method, access, handle), kind: "stream" } as StreamMethod;
}

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}
