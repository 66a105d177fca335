import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import type { PythonEnvironment } from "../support/python-environment.ts";
import { createPythonEnvironment, describeWithPython } from "../support/python-environment.ts";
import { writeDoublingModel, writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

/** Each package is listed: what these say they need includes all of TensorFlow, which no client uses at run time. */
const ALONE = ["--no-deps", "grpcio==1.76.0", "typing-extensions==4.15.0"];
/** A client with the messages of TensorFlow and of TensorFlow Serving in it, as older generators made them. */
const SMALL_CLIENT = [...ALONE, "min-tfs-client==1.0.2", "protobuf==3.20.3", "numpy==2.2.6"];
/** The official messages and stubs, without the messages of TensorFlow itself. */
const OFFICIAL = [...ALONE, "tensorflow-serving-api==2.21.0", "protobuf==6.33.0"];

const TEXT = "A good film with a bad ending.";

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.write({ model: "reviews", version: "2.1.0" });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  await models.writeFiles("doubled/1.0.0", { "model.onnx": writeDoublingModel() });
  server = await startTestServer({
    "models.directory": models.path,
    "models.defaultModel": "reviews",
    "models.control": "explicit",
    "inference.workers": "1",
    "grpc.listen": "on",
    "grpc.port": "0",
  });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

/** Runs a program that gets the server's address and these words; it fails by an exception, and prints `done`. */
async function run(environment: PythonEnvironment, program: string, ...words: readonly string[]) {
  const all = ["-c", `${program}\nprint("done")`, server.grpcAddress ?? "", ...words];
  expect((await environment.run(all)).trim()).toBe("done");
}

/** What `/classify` says of the text, for programs to compare with: label → score. */
async function classifyNatively(): Promise<string> {
  const response = await server.classify({ text: TEXT, top_k: 0 });
  const { predictions } = (await response.json()) as {
    predictions: readonly { label: string; confidence: number }[];
  };
  return JSON.stringify(
    Object.fromEntries(predictions.map(({ label, confidence }) => [label, confidence])),
  );
}

/** Prints the descriptors of TensorFlow's own messages, which come with the small client. */
const PRINT_DESCRIPTORS = `
import base64
from google.protobuf import descriptor_pb2
from tensorflow.core.example import example_pb2
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import error_codes_pb2, meta_graph_pb2
files, seen = descriptor_pb2.FileDescriptorSet(), set()
def add(file):
    if file.name in seen or file.name.startswith("google/"):
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        add(dependency)
    file.CopyToProto(files.file.add())
for module in (example_pb2, tensor_pb2, error_codes_pb2, meta_graph_pb2):
    add(module.DESCRIPTOR)
print(base64.b64encode(files.SerializeToString()).decode())
`;

/** Makes modules of them, under the names by which the official stubs import them. The third word is what was printed. */
const LOAD_DESCRIPTORS = `
import base64, json, sys, types
import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool
from google.protobuf.internal import builder
def put(name, module):
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    if parent:
        if parent not in sys.modules:
            package = types.ModuleType(parent)
            package.__path__ = []
            put(parent, package)
        setattr(sys.modules[parent], last, module)
for file in descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(sys.argv[3])).file:
    descriptor = descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    name = file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
    module = types.ModuleType(name)
    builder.BuildMessageAndEnumDescriptors(descriptor, module.__dict__)
    builder.BuildTopDescriptorsAndMessages(descriptor, name, module.__dict__)
    put(name, module)
# Newer generators import the error codes from another file, through this one.
codes = sys.modules["tensorflow.core.protobuf.error_codes_pb2"]
codes.xla_dot_tsl_dot_protobuf_dot_error__codes__pb2 = codes
`;

const OFFICIAL_PRELUDE = `
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (classification_pb2, get_model_metadata_pb2, get_model_status_pb2,
    inference_pb2, model_management_pb2, model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc,
    regression_pb2)
TEXT = ${JSON.stringify(TEXT)}.encode()
expected = json.loads(sys.argv[2])
channel = grpc.insecure_channel(sys.argv[1])
predict = prediction_service_pb2_grpc.PredictionServiceStub(channel)
models = model_service_pb2_grpc.ModelServiceStub(channel)
def refused(code, words, ask):
    try:
        ask()
    except grpc.RpcError as error:
        assert error.code() == code and words in error.details(), error
        return
    raise AssertionError("not refused")
`;

const official = await createPythonEnvironment({ requirements: OFFICIAL });
afterAll(() => official.environment?.close());
await describeWithPython("min-tfs-client", SMALL_CLIENT, (client) => {
  const PRELUDE = `
import json, sys
import grpc
import numpy as np
from min_tfs_client.requests import TensorServingClient
from min_tfs_client.tensors import tensor_proto_to_ndarray
host, port = sys.argv[1].rsplit(":", 1)
client = TensorServingClient(host=host, port=int(port))
`;

  test("asks models of texts and of tensors, and reads the answers", async () => {
    const program = `${PRELUDE}
answer = client.predict_request("reviews", {"anything": np.array([${JSON.stringify(TEXT)}])})
labels = tensor_proto_to_ndarray(answer.outputs["labels"])[0]
scores = tensor_proto_to_ndarray(answer.outputs["scores"])[0]
expected = json.loads(sys.argv[2])
assert {str(label) for label in labels} == set(expected), labels
for label, score in zip(labels, scores):
    assert abs(expected[str(label)] - score) < 1e-5, (label, score)
assert answer.model_spec.version.value == 2001000, answer.model_spec
x = np.array([[1, 2, 3, 4], [0, 0.5, -1, 8]], np.float32)
k = np.array([2, 0], np.int64)
outputs = client.predict_request("numbers", {"x": x, "k": k}, model_version=1).outputs
np.testing.assert_array_equal(tensor_proto_to_ndarray(outputs["y"]), x * [1, 2, 3, 4] + k[:, None])
np.testing.assert_array_equal(tensor_proto_to_ndarray(outputs["next"]), 2 * k)
try:
    client.predict_request("reviews", {"text": np.array(["a"])}, model_version=7)
    raise AssertionError("not refused")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.NOT_FOUND, error
    assert error.details() == "Servable not found for request: Specific(reviews, 7)", error`;
    await run(client, program, await classifyNatively());
  });

  describeOfficial(client);
});

/** @param client knows TensorFlow's own messages */
function describeOfficial(client: PythonEnvironment) {
  const { environment, reason } = official;
  const skipped = reason === undefined ? "" : ` [skipped: ${reason}]`;
  describe.skipIf(environment === undefined)(`tensorflow-serving-api${skipped}`, () => {
    const runOfficial = async (program: string) => {
      if (environment === undefined) throw new Error("there is no Python");
      const descriptors = (await client.run(["-c", PRINT_DESCRIPTORS])).trim();
      const words = [await classifyNatively(), descriptors];
      await run(environment, `${LOAD_DESCRIPTORS}${OFFICIAL_PRELUDE}${program}`, ...words);
    };
    test("predicts, with an output filter and by a version's label", () =>
      runOfficial(`
request = predict_pb2.PredictRequest()
request.model_spec.name = "reviews"
request.model_spec.version_label = "2.1.0"
request.inputs["text"].dtype = types_pb2.DT_STRING
request.inputs["text"].tensor_shape.dim.add(size=1)
request.inputs["text"].string_val.append(TEXT)
request.output_filter.append("scores")
answer = predict.Predict(request, timeout=20)
assert list(answer.outputs) == ["scores"], answer
assert answer.outputs["scores"].dtype == types_pb2.DT_FLOAT
assert max(abs(a - b) for a, b in zip(sorted(answer.outputs["scores"].float_val), sorted(expected.values()))) < 1e-5
assert answer.model_spec.version.value == 2001000
assert answer.model_spec.signature_name == "serving_default"
request.inputs["text"].ClearField("string_val")
refused(grpc.StatusCode.INVALID_ARGUMENT, "", lambda: predict.Predict(request))
`));

    test("classifies and regresses examples, one by one and together", () =>
      runOfficial(`
def fill(request, **features):
    for name, value in features.items():
        example = request.input.example_list.examples.add()
        for one in [value] if isinstance(value, bytes) else []:
            example.features.feature[name].bytes_list.value.append(one)
        for one in [value] if isinstance(value, float) else []:
            example.features.feature[name].float_list.value.append(one)
request = classification_pb2.ClassificationRequest()
request.model_spec.name = "reviews"
request.model_spec.signature_name = "classify_text"
fill(request, text=TEXT)
[one] = predict.Classify(request).result.classifications
assert {c.label for c in one.classes} == set(expected), one
assert all(abs(expected[c.label] - c.score) < 1e-5 for c in one.classes), one
request = regression_pb2.RegressionRequest()
request.model_spec.name = "doubled"
fill(request, x=1.5)
assert [r.value for r in predict.Regress(request).result.regressions] == [3.0]
request.model_spec.name = "reviews"
refused(grpc.StatusCode.INVALID_ARGUMENT, "", lambda: predict.Regress(request))
request = inference_pb2.MultiInferenceRequest()
request.tasks.add(method_name="tensorflow/serving/regress").model_spec.name = "doubled"
request.tasks.add(method_name="tensorflow/serving/regress").model_spec.name = "doubled"
fill(request, x=2.5)
results = predict.MultiInference(request).results
assert [r.regression_result.regressions[0].value for r in results] == [5.0, 5.0], results
`));

    test("reads signatures and states, and changes which models there are", () =>
      runOfficial(`
request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
request.model_spec.name = "numbers"
answer = predict.GetModelMetadata(request)
found = get_model_metadata_pb2.SignatureDefMap()
assert answer.metadata["signature_def"].Unpack(found)
signature = found.signature_def["serving_default"]
assert [d.size for d in signature.inputs["x"].tensor_shape.dim] == [-1, 4], signature
assert signature.inputs["k"].dtype == types_pb2.DT_INT64
assert signature.method_name == "tensorflow/serving/predict"
request = get_model_status_pb2.GetModelStatusRequest()
request.model_spec.name = "reviews"
states = models.GetModelStatus(request).model_version_status
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE
assert [(s.version, s.state) for s in states] == [(2001000, AVAILABLE), (1, AVAILABLE)], states
request.model_spec.name = "nothing"
refused(grpc.StatusCode.NOT_FOUND, "Could not find any versions of model nothing",
    lambda: models.GetModelStatus(request))
def reload(*names):
    request = model_management_pb2.ReloadConfigRequest()
    for name in names:
        request.config.model_config_list.config.add(name=name, base_path="/models/" + name)
    return models.HandleReloadConfigRequest(request).status
assert reload("reviews", "doubled").error_code == 0
request.model_spec.name = "numbers"
END = get_model_status_pb2.ModelVersionStatus.END
assert [s.state for s in models.GetModelStatus(request).model_version_status] == [END]
assert reload("reviews", "doubled", "numbers").error_code == 0
assert [s.state for s in models.GetModelStatus(request).model_version_status] == [AVAILABLE]
assert reload("reviews", "doubled", "numbers", "nothing").error_code == 5
`));
  });
}
