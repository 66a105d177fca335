import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";

/**
 * Reads a server's message.
 *
 * @throws SluiceError `unavailable` when the bytes are none
 */
export function readMessage<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    const message = "The model's server answers with a message that cannot be read.";
    throw new SluiceError("unavailable", message, { cause: error });
  }
}
