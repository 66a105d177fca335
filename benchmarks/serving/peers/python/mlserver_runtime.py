"""A runtime for MLServer, which batches adaptively in front of it."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

from classifier import Classifier


class TextClassification(MLModel):
    async def load(self) -> bool:
        self._classifier = Classifier()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        texts = StringCodec.decode_input(payload.inputs[0])
        scores = self._classifier.predict(texts)
        output = ResponseOutput(
            name="scores",
            shape=list(scores.shape),
            datatype="FP64" if scores.dtype == np.float64 else "FP32",
            data=scores.ravel().tolist(),
        )
        return InferenceResponse(model_name=self.name, outputs=[output])
