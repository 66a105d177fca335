import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { CallOptions, ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import { Client, credentials, Metadata } from "@grpc/grpc-js";

type Described<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly input: Input;
  readonly output: Output;
};

/** A real gRPC client for any method that the generated code describes. */
export class GrpcClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
    });
  }

  /** Rejects with the library's error, which has `code`, `details` and `metadata`. */
  call<Input extends DescMessage, Output extends DescMessage>(
    method: Described<Input, Output>,
    message: MessageInitShape<Input>,
    { headers = {}, ...options }: CallOptions & { headers?: Record<string, string> } = {},
  ): Promise<MessageShape<Output>> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        pathOf(method),
        toBytes(method.input),
        (bytes) => fromBinary(method.output, bytes),
        create(method.input, message),
        metadata,
        options,
        (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
      );
    });
  }

  /** Bytes as they are, for messages that are none. */
  callBytes(method: DescMethod, bytes: Buffer): Promise<Buffer> {
    const asIs = (message: Buffer) => message;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(pathOf(method), asIs, asIs, bytes, (error, answer) =>
        answer === undefined ? reject(error) : resolve(answer),
      );
    });
  }

  stream<Input extends DescMessage, Output extends DescMessage>(
    method: Described<Input, Output>,
  ): ClientDuplexStream<MessageShape<Input>, MessageShape<Output>> {
    return this.#client.makeBidiStreamRequest(pathOf(method), toBytes(method.input), (bytes) =>
      fromBinary(method.output, bytes),
    );
  }

  watch<Input extends DescMessage, Output extends DescMessage>(
    method: Described<Input, Output>,
    message: MessageInitShape<Input>,
  ): ClientReadableStream<MessageShape<Output>> {
    return this.#client.makeServerStreamRequest(
      pathOf(method),
      toBytes(method.input),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, message),
    );
  }

  close(): void {
    this.#client.close();
  }
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

function toBytes<Schema extends DescMessage>(schema: Schema) {
  return (message: MessageShape<Schema>) => Buffer.from(toBinary(schema, message));
}
