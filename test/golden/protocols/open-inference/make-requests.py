"""Writes requests.json: bodies that the official client makes, and what they mean.

Needs: pip install "tritonclient[http]==2.73.0". Run it in this folder.
"""

import base64
import json
from importlib.metadata import version

import numpy as np
import tritonclient.http as http

VALUES = {
    "BOOL": np.array([[True, False, True], [False, False, True]]),
    "UINT8": np.array([[0, 1, 127], [128, 254, 255]], np.uint8),
    "UINT16": np.array([[0, 1, 255], [256, 32768, 65535]], np.uint16),
    "UINT32": np.array([[0, 1, 65536], [2**31, 2**32 - 2, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, 1, 2**53], [2**53 + 1, 2**63, 2**64 - 1]], np.uint64),
    "INT8": np.array([[0, 1, -1], [127, -127, -128]], np.int8),
    "INT16": np.array([[0, 1, -1], [32767, -32767, -32768]], np.int16),
    "INT32": np.array([[0, 1, -1], [2**31 - 1, 1 - 2**31, -(2**31)]], np.int32),
    "INT64": np.array([[0, 1, -1], [2**63 - 1, -(2**53) - 1, -(2**63)]], np.int64),
    "FP16": np.array([[0, 1, -1.5], [65504, 2**-24, 0.0999755859375]], np.float16),
    "FP32": np.array([[0, 0.1, -1.5], [3.4028234663852886e38, 1e-45, -0.0]], np.float32),
    "FP64": np.array([[0, 0.1, -1.5], [1.7976931348623157e308, 5e-324, -0.0]], np.float64),
    "BYTES": np.array([["", "a", "Grüße"], ["日本語", "\u0000", "🙂 \"\\\n"]], np.object_),
}


def text_of(value):
    """Exact, and as JavaScript reads it."""
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"b64": base64.b64encode(value).decode()}
    if value != value:
        return "NaN"
    return repr(value).replace("inf", "Infinity")


def tensor(name, datatype, array, binary):
    tensor = http.InferInput(name, list(array.shape), datatype)
    tensor.set_data_from_numpy(array, binary_data=binary)
    meaning = {
        "name": name,
        "datatype": datatype,
        "shape": list(array.shape),
        "data": [text_of(value) for value in array.flatten().tolist()],
    }
    return tensor, meaning


def case(name, tensors, outputs=None, **options):
    inputs = [made for made, _ in tensors]
    body, header = http.InferenceServerClient.generate_request_body(
        inputs, outputs=outputs, **options
    )
    return {
        "name": name,
        "body": base64.b64encode(body).decode(),
        "headerLength": None if header is None else str(header),
        "inputs": [meaning for _, meaning in tensors],
    }


cases = []
for datatype, array in VALUES.items():
    cases.append(case(f"{datatype}, binary", [tensor("x", datatype, array, True)]))
    cases.append(case(f"{datatype}, JSON", [tensor("x", datatype, array, False)]))
for datatype in ("FP32", "BYTES"):
    nothing = VALUES[datatype][:0]
    cases.append(case(f"no rows of {datatype}, binary", [tensor("x", datatype, nothing, True)]))
    cases.append(case(f"no rows of {datatype}, JSON", [tensor("x", datatype, nothing, False)]))
odd = np.array([np.nan, np.inf, -np.inf], np.float32)
cases.append(case("NaN and infinities, binary", [tensor("x", "FP32", odd, True)]))
no_text = np.array([b"\xff\xfe", b"text"], np.object_)
cases.append(case("bytes that are no text, binary", [tensor("x", "BYTES", no_text, True)]))
cases.append(
    case(
        "two inputs, one binary behind one in JSON",
        [
            tensor("x", "INT64", VALUES["INT64"], False),
            tensor("y", "BYTES", VALUES["BYTES"], True),
            tensor("z", "FP64", VALUES["FP64"], True),
        ],
    )
)
cases.append(
    case(
        "everything that a caller can say",
        [tensor("x", "UINT8", VALUES["UINT8"], True)],
        outputs=[
            http.InferRequestedOutput("a", binary_data=True),
            http.InferRequestedOutput("b", binary_data=False),
            http.InferRequestedOutput("c", binary_data=False, class_count=3),
        ],
        request_id="request 1",
        priority=2,
        timeout=1500000,
        parameters={"text": "t", "whole": 7, "part": 0.5, "truth": True},
    )
)

with open("requests.json", "w", encoding="utf-8") as file:
    made_with = f"tritonclient {version('tritonclient')}, numpy {version('numpy')}"
    lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in cases)
    file.write(f'{{"madeWith": "{made_with}", "cases": [\n{lines}\n]}}\n')
