import { parentPort, workerData } from "node:worker_threads";
import { toFileError } from "./file-error.ts";
import { openFile } from "./open-file.ts";
import type { FileSetup, StoreReply, StoreRequest } from "./store-protocol.ts";
import { encodeError } from "./store-protocol.ts";
import { VectorFile } from "./vector-file.ts";

const port = parentPort;
if (port !== null) {
  const send = (reply: StoreReply) => port.postMessage(reply);
  try {
    const file = new VectorFile(await openFile(workerData as FileSetup));
    port.on("message", ({ id, method, args }: StoreRequest) => {
      try {
        // Only the store's other half sends, whose types say that these fit together.
        const call = file[method] as (...args: readonly unknown[]) => unknown;
        send({ id, value: call.apply(file, [...args]) });
      } catch (error) {
        send({ id, error: encodeError(toFileError(error)) });
      }
      if (method === "close") port.close();
    });
    send({ id: 0, value: undefined });
  } catch (error) {
    send({ id: 0, error: encodeError(error) });
  }
}
