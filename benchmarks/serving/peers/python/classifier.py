"""The classifier that every peer serves: the same files, the same tokenizer and the same number of threads."""

import os

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

LABELS = os.environ["BENCH_LABELS"].split(",")
MAX_BATCH = int(os.environ["BENCH_MAX_BATCH"])


class Classifier:
    """Texts in, one row of scores per text out. Rows are padded to the longest text of their batch, not further."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["BENCH_THREADS"])
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [value.name for value in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_file(os.environ["BENCH_TOKENIZER"])
        self._tokenizer.enable_truncation(int(os.environ["BENCH_MAX_TOKENS"]))
        self._tokenizer.enable_padding(pad_id=int(os.environ["BENCH_PAD_ID"]))

    def predict(self, texts: list[str]) -> np.ndarray:
        encoded = self._tokenizer.encode_batch(texts)
        values = {
            "input_ids": [one.ids for one in encoded],
            "attention_mask": [one.attention_mask for one in encoded],
            "token_type_ids": [one.type_ids for one in encoded],
        }
        feeds = {name: np.array(values[name], dtype=np.int64) for name in self._inputs}
        (logits,) = self._session.run(["logits"], feeds)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def to_prediction(scores: np.ndarray) -> dict:
    best = int(np.argmax(scores))
    return {"label": LABELS[best], "confidence": float(scores[best])}
