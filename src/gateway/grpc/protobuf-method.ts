import type { DescMessage, DescMethod, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
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
  return {
    kind: "unary",
    path: pathOf(method),
    access,
    handle: async (bytes, call) => {
      const answer = await handle(decodeMessage(method.input, bytes), call);
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

/** @throws SluiceError `invalid_argument` when the bytes are no such message */
export function decodeMessage<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    const message = `The message cannot be read as ${schema.typeName}.`;
    throw new SluiceError("invalid_argument", message, { cause });
  }
}
