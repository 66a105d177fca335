import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  handleUnaryCall,
  ServiceDefinition,
  ServiceError,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import type { RemoteTensorBackend } from "../../src/backends/remote/remote-tensor-backend.ts";
import type { TensorFlowServingBackendOptions } from "../../src/backends/tensorflow-serving/create-tensorflow-serving-backend.ts";
import { createTensorFlowServingBackend } from "../../src/backends/tensorflow-serving/create-tensorflow-serving-backend.ts";
import type { Tensor, TensorSignature } from "../../src/core/ports/tensor.ts";
import {
  GetModelMetadataResponseSchema,
  GetModelStatusResponseSchema,
  PredictRequestSchema,
  PredictResponseSchema,
} from "../../src/generated/tensorflow_serving_pb.ts";
import { encodeMetadataResponse } from "../../src/protocols/tensorflow-serving/grpc/model-metadata.ts";
import { encodeStatusResponse } from "../../src/protocols/tensorflow-serving/grpc/model-status.ts";
import {
  decodePredictRequest,
  encodePredictResponse,
} from "../../src/protocols/tensorflow-serving/grpc/predict.ts";
import { createSystemClock } from "../../src/telemetry/system-clock.ts";

const SIGNATURE: TensorSignature = {
  inputs: [
    { name: "x", datatype: "FP32", shape: [null] },
    { name: "text", datatype: "BYTES", shape: undefined },
  ],
  outputs: [
    { name: "y", datatype: "FP32", shape: [null] },
    { name: "said", datatype: "BYTES", shape: undefined },
  ],
};

/** gRPC's numbers of the failures that are scripted. */
const STATUS = { invalid: 3, unavailable: 14 };

interface ScriptedServer {
  readonly address: string;
  /** Status that every prediction is answered with; 0 = none. */
  failure: number;
  readonly asked: {
    model: string;
    version: string | undefined;
    signatureName: string | undefined;
  }[];
  stop(): void;
}

const tidyUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const tidyUp of tidyUps.splice(0).reverse()) await tidyUp();
});

/** Speaks gRPC as TensorFlow Serving does: `y` is twice `x`, and `said` is `text`. */
async function startScriptedServer(port = 0): Promise<ScriptedServer> {
  const server = new Server();
  const state: Omit<ScriptedServer, "address" | "stop"> = { failure: 0, asked: [] };
  const predict = (message: Buffer): Uint8Array => {
    const { inputs, outputs, ...spec } = decodePredictRequest(
      fromBinary(PredictRequestSchema, message),
    );
    state.asked.push(spec);
    if (state.failure !== 0) {
      throw Object.assign(new Error("scripted"), { code: state.failure, details: "said so" });
    }
    const answers = inputs.flatMap((input): Tensor[] => {
      if (input.name === "text") return [{ ...input, name: "said" }];
      if (input.datatype !== "FP32") return [];
      return [{ ...input, name: "y", data: input.data.map((value) => 2 * value) }];
    });
    const wanted = answers.filter(({ name }) => outputs?.includes(name) ?? true);
    const response = encodePredictResponse({ model: spec.model, outputs: wanted });
    return toBinary(PredictResponseSchema, response);
  };
  const describe = () => {
    const method = { signatureName: "serving_default", methodName: "tensorflow/serving/predict" };
    const response = encodeMetadataResponse({ model: "m" }, [{ ...method, ...SIGNATURE }]);
    return toBinary(GetModelMetadataResponseSchema, response);
  };
  const status = () =>
    toBinary(
      GetModelStatusResponseSchema,
      create(
        GetModelStatusResponseSchema,
        encodeStatusResponse([
          { version: 7n, state: "AVAILABLE" },
          { version: 6n, state: "END" },
        ]),
      ),
    );
  addService(server, "tensorflow.serving.PredictionService", {
    Predict: predict,
    GetModelMetadata: describe,
  });
  addService(server, "tensorflow.serving.ModelService", { GetModelStatus: status });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  const stop = () => server.forceShutdown();
  tidyUps.push(stop);
  return Object.assign(state, { address: `127.0.0.1:${bound}`, stop });
}

function addService(
  server: Server,
  service: string,
  methods: Readonly<Record<string, (message: Buffer) => Uint8Array>>,
): void {
  const definition: Record<string, object> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [name, answer] of Object.entries(methods)) {
    const asIs = (bytes: Uint8Array) => Buffer.from(bytes);
    definition[name] = {
      path: `/${service}/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    const handle: handleUnaryCall<Buffer, Uint8Array> = (call, callback) => {
      try {
        callback(null, answer(call.request));
      } catch (error) {
        callback(error as ServiceError);
      }
    };
    implementation[name] = handle;
  }
  server.addService(definition as ServiceDefinition, implementation);
}

async function open(
  servers: readonly ScriptedServer[],
  options: Partial<TensorFlowServingBackendOptions> = {},
): Promise<RemoteTensorBackend> {
  const backend = await createTensorFlowServingBackend({
    servers: servers.map(({ address }) => `grpc://${address}`),
    model: "m",
    clock: createSystemClock(),
    pool: { coolDownMs: 50, maxCoolDownMs: 200 },
    ...options,
  });
  tidyUps.push(() => backend.close());
  return backend;
}

function ask(value: number): readonly Tensor[] {
  return [
    { name: "x", datatype: "FP32", shape: [2], data: Float32Array.of(value, 1) },
    { name: "text", datatype: "BYTES", shape: [1], data: [`好 ${value}`] },
  ];
}

async function askMany(backend: RemoteTensorBackend, count: number): Promise<void> {
  for (let value = 0; value < count; value++) {
    const [said, y] = await backend.run(ask(value), ["said", "y"]);
    expect(said?.data).toEqual([`好 ${value}`]);
    expect(y?.data).toEqual(Float32Array.of(2 * value, 2));
  }
}

test("a model in TensorFlow Serving is described and asked over gRPC", async () => {
  const server = await startScriptedServer();
  const backend = await open([server], { version: "7" });
  const byName = (specs: TensorSignature["inputs"]) =>
    specs.toSorted((a, b) => a.name.localeCompare(b.name));
  expect(byName(backend.signature.inputs)).toEqual(byName(SIGNATURE.inputs));
  expect(byName(backend.signature.outputs)).toEqual(byName(SIGNATURE.outputs));
  expect(await backend.listVersions()).toEqual(["7"]);
  expect(await backend.isReady()).toBe(true);
  await askMany(backend, 5);
  expect(server.asked.at(-1)).toMatchObject({
    model: "m",
    version: "7",
    signatureName: "serving_default",
  });
});

test("what the server says about a request passes through", async () => {
  const server = await startScriptedServer();
  const backend = await open([server]);
  server.failure = STATUS.invalid;
  await expect(backend.run(ask(1), ["y"])).rejects.toMatchObject({
    code: "invalid_argument",
    message: "said so",
  });
});

test("no request fails when a server refuses all of them or is killed, and it is used again when it is back", async () => {
  const servers = [await startScriptedServer(), await startScriptedServer()];
  const backend = await open(servers);
  const [first] = servers;
  if (first === undefined) throw new Error("no server");
  first.failure = STATUS.unavailable;
  await askMany(backend, 30);
  first.stop();
  await askMany(backend, 100);
  expect(backend.healthyServers).toBe(1);
  const again = await startScriptedServer(Number(first.address.split(":")[1]));
  for (let i = 0; i < 200 && backend.healthyServers < 2; i++) {
    await new Promise((go) => setTimeout(go, 25));
  }
  await askMany(backend, 20);
  expect(again.asked.length).toBeGreaterThan(0);
});

test("a signature that the model does not have, or an address that is none, is refused with the fix", async () => {
  const server = await startScriptedServer();
  await expect(open([server], { signatureName: "other" })).rejects.toMatchObject({
    code: "invalid_argument",
  });
  await expect(open([], { servers: ["grpc://nothing"] })).rejects.toThrow("grpc://host:port");
});
