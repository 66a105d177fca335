import { create } from "@bufbuild/protobuf";
import type { SluiceError } from "../../../core/errors.ts";
import type {
  GetModelStatusRequest,
  GetModelStatusResponse,
} from "../../../generated/tensorflow_serving_pb.ts";
import {
  GetModelStatusResponseSchema,
  ModelVersionStatus_State,
} from "../../../generated/tensorflow_serving_pb.ts";
import { WIRE_STATUS } from "../../status.ts";
import type { DecodedModelSpec } from "./model-spec.ts";
import { decodeModelSpec } from "./model-spec.ts";

/** Where a version stands, in TensorFlow Serving's words. */
export interface VersionStatus {
  readonly version: bigint;
  readonly state: keyof typeof ModelVersionStatus_State;
  /** Why it does not serve. */
  readonly error?: SluiceError;
}

/** @throws SluiceError `invalid_argument` when no model is named */
export function decodeStatusRequest(message: GetModelStatusRequest): DecodedModelSpec {
  return decodeModelSpec(message.modelSpec);
}

/** Writes where the versions of a model stand. */
export function encodeStatusResponse(versions: readonly VersionStatus[]): GetModelStatusResponse {
  return create(GetModelStatusResponseSchema, {
    modelVersionStatus: versions.map(({ version, state, error }) => ({
      version,
      state: ModelVersionStatus_State[state],
      status: toStatusProto(error),
    })),
  });
}

/** A status within a message: without an error, all is well. */
export function toStatusProto(error: SluiceError | undefined): {
  readonly errorCode: number;
  readonly errorMessage: string;
} {
  if (error === undefined) return { errorCode: 0, errorMessage: "" };
  return { errorCode: WIRE_STATUS[error.code].grpc, errorMessage: error.message };
}
