import { afterAll, beforeAll, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import type { PythonEnvironment } from "../support/python-environment.ts";
import { describeWithPython } from "../support/python-environment.ts";
import { writeEchoModel, writeImageModel, writeTensorModel } from "../support/tensor-fixtures.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "reviews" });
  await models.writeFiles("numbers/1.0.0", { "model.onnx": writeTensorModel() });
  await models.writeFiles("echo/2.1.0", { "model.onnx": writeEchoModel() });
  await models.writeFiles("image/1.0.0", { "image.onnx": writeImageModel() });
  server = await startTestServer({
    "models.directory": models.path,
    "models.default-model": "reviews",
    "rate-limit.requests": "0",
    "inference.workers": "1",
    "grpc.listen": "on",
    "grpc.port": "0",
  });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

/** Runs a program that gets the server's address as its first word; it fails by an exception, and prints `done`. */
async function run(environment: PythonEnvironment, program: string, address: string) {
  expect((await environment.run(["-c", `${program}\nprint("done")`, address])).trim()).toBe("done");
}

const addressOf = ({ url }: TestServer) => url.replace("http://", "");

await describeWithPython("tritonclient", ["tritonclient[http,grpc]==2.73.0"], (environment) => {
  const PRELUDE = `
import sys
import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException
client = http.InferenceServerClient(sys.argv[1])
def tensor(name, datatype, array, **options):
    made = http.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, **options)
    return made
def refused(status, words, ask):
    try:
        ask()
    except InferenceServerException as error:
        assert error.status() == str(status), error
        assert words in error.message(), error
        return
    raise AssertionError("not refused")
`;

  test.each([
    [
      "sees that the server and its models are there",
      `
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("reviews") and client.is_model_ready("numbers", "1.0.0")
assert not client.is_model_ready("none")
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
metadata = client.get_model_metadata("numbers")
assert metadata["inputs"][0] == {"name": "x", "datatype": "FP32", "shape": [-1, 4]}, metadata
assert client.get_model_config("reviews")["input"][0]["data_type"] == "TYPE_STRING"
`,
    ],
    [
      "asks a model of texts with its defaults",
      `
texts = np.array(["A good film.", "Ein schöner Film. 🙂"], np.object_)
result = client.infer("reviews", [tensor("text", "BYTES", texts)])
scores = result.as_numpy("probabilities")
assert scores.shape == (2, 2) and scores.dtype == np.float32
np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
labels = result.as_numpy("label")
assert labels.shape == (2,) and labels[0].decode() in ("positive", "negative"), labels
json = client.infer("reviews", [tensor("text", "BYTES", texts, binary_data=False)],
    outputs=[http.InferRequestedOutput("probabilities", binary_data=False)], request_id="7")
assert json.get_response()["id"] == "7"
np.testing.assert_array_equal(json.as_numpy("probabilities"), scores)
top = client.infer("reviews", [tensor("text", "BYTES", texts)],
    outputs=[http.InferRequestedOutput("probabilities", class_count=1)]).as_numpy("probabilities")
value, index, label = top[0][0].decode().split(":")
assert label == labels[0].decode() and abs(float(value) - scores[0].max()) < 1e-5, top
`,
    ],
    [
      "asks models of tensors, in all ways that it can send and compress them",
      `
x = np.array([[1, 2, 3, 4], [-1, 0.5, 0, 8]], np.float32)
k = np.array([2, 0], np.int64)
for binary in (True, False):
    for encoding in (None, "gzip", "deflate"):
        inputs = [tensor("x", "FP32", x, binary_data=binary), tensor("k", "INT64", k, binary_data=binary)]
        result = client.infer("numbers", inputs, request_compression_algorithm=encoding,
            response_compression_algorithm=encoding, priority=2, timeout=20000000)
        np.testing.assert_array_equal(result.as_numpy("y"), x * [1, 2, 3, 4] + k[:, None])
        np.testing.assert_array_equal(result.as_numpy("next"), 2 * k)
image = np.ones((1, 1, 5, 4), np.float32)
sums = client.infer("image", [tensor("image", "FP32", image)]).as_numpy("sums")
np.testing.assert_array_equal(sums, np.full((1, 1, 3, 2), 9))
`,
    ],
    [
      "gets back what it sent, texts, truths, halves, whole numbers and what is no number",
      `
values = {
    "text": ("BYTES", np.array(["", "日本語"], np.object_)),
    "flag": ("BOOL", np.array([True, False])),
    "half": ("FP16", np.array([0.5, np.inf], np.float16)),
    "whole": ("INT64", np.array([2**63 - 1, -(2**63)])),
    "real": ("FP32", np.array([np.nan, -0.0], np.float32)),
}
result = client.infer("echo", [tensor(name, *value) for name, value in values.items()])
for name, (datatype, array) in values.items():
    found = result.as_numpy(name + "_out")
    if datatype == "BYTES":
        found = np.array([value.decode() for value in found], np.object_)
    np.testing.assert_array_equal(found, array)
`,
    ],
    [
      "is told what was wrong",
      `
texts = np.array(["a"], np.object_)
refused(404, "There is no model", lambda: client.infer("none", [tensor("text", "BYTES", texts)]))
refused(404, "There is no version", lambda: client.infer("reviews", [tensor("text", "BYTES", texts)], model_version="9"))
refused(400, "inputs.x is missing", lambda: client.infer("numbers", [tensor("k", "INT64", np.array([1]))]))
refused(400, "sequence_id is not supported", lambda: client.infer("reviews", [tensor("text", "BYTES", texts)], sequence_id=7))
refused(403, "models.control", lambda: client.load_model("reviews"))
refused(403, "models.control", lambda: client.unload_model("reviews"))
refused(404, "nothing at this address", lambda: client.get_system_shared_memory_status())
`,
    ],
    [
      "reads the repository and the statistics",
      `
index = client.get_model_repository_index()
assert {"name": "reviews", "version": "1.0.0", "state": "READY", "reason": ""} in index, index
texts = np.array(["What a day."], np.object_)
client.infer("reviews", [tensor("text", "BYTES", texts)])
[statistics] = client.get_inference_statistics("reviews")["model_stats"]
assert statistics["inference_count"] > 0 and statistics["inference_stats"]["success"]["ns"] > 0
assert len(client.get_inference_statistics()["model_stats"]) == 4
`,
    ],
  ])("the official client %s", async (_name, program) => {
    await run(environment, PRELUDE + program, addressOf(server));
  });

  test("asks everything over gRPC with its defaults, and in a stream", async () => {
    const program = `
import queue, sys
import numpy as np
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException
client = grpc.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("reviews")
assert "statistics" in client.get_server_metadata().extensions
assert client.get_model_metadata("numbers").inputs[0].shape == [-1, 4]
assert client.get_model_config("reviews").config.name == "reviews"
assert [m.name for m in client.get_model_repository_index().models].count("reviews") == 1
def tensor(name, datatype, array):
    made = grpc.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array)
    return made
texts = np.array(["A good film.", "Ein schöner Film. 🙂"], np.object_)
result = client.infer("reviews", [tensor("text", "BYTES", texts)], request_id="7")
assert result.get_response().id == "7"
assert result.as_numpy("probabilities").shape == (2, 2)
assert result.as_numpy("label")[0].decode() in ("positive", "negative")
x = np.array([[1, 2, 3, 4]], np.float32)
k = np.array([2], np.int64)
inputs = [tensor("x", "FP32", x), tensor("k", "INT64", k)]
assert client.infer("numbers", inputs).as_numpy("y").tolist() == [[3, 6, 11, 18]]
assert client.get_inference_statistics("numbers").model_stats[0].execution_count > 0
for ask, words in ((lambda: client.infer("none", inputs), "StatusCode.NOT_FOUND"), (lambda: client.infer("numbers", inputs[:1]), "StatusCode.INVALID_ARGUMENT")):
    try:
        ask()
        raise AssertionError("not refused")
    except InferenceServerException as error:
        assert error.status() == words, error
answers = queue.Queue()
client.start_stream(lambda result, error: answers.put((result, error)))
for i in range(20):
    client.async_stream_infer("reviews", [tensor("text", "BYTES", texts)], request_id=str(i))
ids = []
for _ in range(20):
    result, error = answers.get(timeout=20)
    assert error is None, error
    ids.append(result.get_response().id)
assert ids == [str(i) for i in range(20)], ids
client.stop_stream()
`;
    await run(environment, program, server.grpcAddress ?? "");
  });
});

await describeWithPython("kserve", ["kserve==0.21.0"], (environment) => {
  const PRELUDE = `
import asyncio, sys
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
import httpx
client = InferenceRESTClient(RESTConfig(protocol="v2"))
url = "http://" + sys.argv[1]
`;

  test("the official client asks everything that it can", async () => {
    const program = `${PRELUDE}
async def main():
    assert await client.is_server_live(url) and await client.is_server_ready(url)
    assert await client.is_model_ready(url, "reviews")
    assert not await client.is_model_ready(url, "none")
    listed = InferInput("input-0", [2], "BYTES", ["A good film.", "A bad one."])
    answer = await client.infer(url, InferRequest("reviews", [listed]), model_name="reviews")
    assert [output.name for output in answer.outputs] == ["label", "score", "probabilities"]
    in_json = answer.outputs[2].as_numpy()
    assert in_json.shape == (2, 2)
    binary = InferInput("text", [2], "BYTES")
    binary.set_data_from_numpy(np.array(["A good film.", "A bad one."], np.object_))
    request = InferRequest("reviews", [binary], parameters={"binary_data_output": True})
    answer = await client.infer(url, request, model_name="reviews")
    np.testing.assert_array_equal(answer.outputs[2].as_numpy(), in_json)
    x = InferInput("x", [1, 4], "FP32")
    x.set_data_from_numpy(np.array([[1, 2, 3, 4]], np.float32))
    k = InferInput("k", [1], "INT64", [2])
    answer = await client.infer(url, InferRequest("numbers", [x, k]), model_name="numbers")
    assert answer.outputs[0].as_numpy().tolist() == [[3, 6, 11, 18]]
    try:
        await client.infer(url, InferRequest("numbers", [k]), model_name="numbers")
        raise AssertionError("not refused")
    except httpx.HTTPStatusError as error:
        assert error.response.status_code == 400 and "inputs.x is missing" in str(error), error
    await client.close()
asyncio.run(main())
`;
    await run(environment, program, addressOf(server));
  });

  test("the official client asks over gRPC", async () => {
    const program = `
import asyncio, sys
import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest
async def main():
    client = InferenceGRPCClient(sys.argv[1])
    assert await client.is_server_live() and await client.is_server_ready()
    assert await client.is_model_ready("reviews")
    x = InferInput("x", [1, 4], "FP32")
    x.set_data_from_numpy(np.array([[1, 2, 3, 4]], np.float32))
    k = InferInput("k", [1], "INT64")
    k.set_data_from_numpy(np.array([2], np.int64))
    answer = await client.infer(InferRequest("numbers", [x, k]))
    assert answer.outputs[0].as_numpy().tolist() == [[3, 6, 11, 18]], answer
    text = InferInput("text", [1], "BYTES")
    text.set_data_from_numpy(np.array(["A good film."], np.object_))
    answer = await client.infer(InferRequest("reviews", [text]))
    assert [output.name for output in answer.outputs] == ["label", "score", "probabilities"]
    await client.close()
asyncio.run(main())
`;
    await run(environment, program, server.grpcAddress ?? "");
  });
});
