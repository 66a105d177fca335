"""Reads answers.json with the official client and compares with the tensors of requests.json.

Needs: pip install "tritonclient[http]==2.73.0". Run it in this folder; it is silent where all is well.
"""

import base64
import json

import numpy as np
import tritonclient.http as http


def value_of(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return value


with open("requests.json", encoding="utf-8") as file:
    requests = {case["name"]: case for case in json.load(file)["cases"]}
with open("answers.json", encoding="utf-8") as file:
    answers = json.load(file)

for answer in answers:
    kind, name = answer["name"].split(": ", 1)
    result = http.InferResult.from_response_body(
        base64.b64decode(answer["body"]), header_length=answer["headerLength"]
    )
    response = result.get_response()
    assert (response["model_name"], response["model_version"]) == ("m", "1.0.0"), answer
    for tensor in requests[name]["inputs"]:
        array = result.as_numpy(tensor["name"])
        assert list(array.shape) == tensor["shape"], (answer["name"], array.shape)
        found = array.flatten().tolist()
        for expected, value in zip(map(value_of, tensor["data"]), found, strict=True):
            if tensor["datatype"] == "BYTES":
                raw = expected if isinstance(expected, bytes) else expected.encode()
                assert (value.encode() if isinstance(value, str) else value) == raw, (name, value)
            elif tensor["datatype"] == "BOOL":
                assert value is expected, (answer["name"], value)
            elif tensor["datatype"].startswith("FP"):
                np.testing.assert_array_equal(value, float(expected))
                assert np.signbit(value) == np.signbit(float(expected)), (name, value)
            else:
                assert value == int(expected), (answer["name"], value)
print(f"{len(answers)} answers are read as they were meant")
