import { SluiceError } from "../../core/errors.ts";
import type { ModelChannel, RemoteModelOptions } from "./model-channel.ts";

/** How a protocol opens a channel, by what the address begins with. */
export interface ChannelOpeners {
  readonly http: (url: string) => Promise<ModelChannel>;
  readonly grpc: (url: string) => Promise<ModelChannel>;
}

/**
 * Opens a channel to every server. Nothing is sent yet.
 *
 * @throws SluiceError `invalid_argument` when there is no server or an address is none; whatever was opened is closed
 */
export async function openChannels(
  { servers }: Pick<RemoteModelOptions, "servers">,
  openers: ChannelOpeners,
): Promise<readonly ModelChannel[]> {
  const channels: ModelChannel[] = [];
  try {
    for (const url of servers) {
      channels.push(await (/^grpcs?:/.test(url) ? openers.grpc(url) : openers.http(url)));
    }
  } catch (error) {
    for (const channel of channels) channel.close();
    throw error;
  }
  if (channels.length > 0) return channels;
  throw new SluiceError("invalid_argument", "A remote model needs the URL of at least one server.");
}
