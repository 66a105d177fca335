import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../../core/errors.ts";
import { decodeFault } from "../../../protocols/native/faults/decode-fault.ts";
import { encodeFault, encodeFaultList } from "../../../protocols/native/faults/encode-fault.ts";
import { jsonAnswer } from "../../answer.ts";
import type { FaultOptions, GatewayOptions } from "../../gateway-options.ts";
import { assertKeyAllowed } from "../../middleware/allowed-keys.ts";
import type { Route } from "../../route.ts";
import { describeList, describeOne, describeRemove, describeSet } from "./schema.ts";

const PATH = "/v1/faults/:name";

/** `/v1/faults` and what is below. Where faults are off, the addresses say how they are switched on. */
export function createFaultRoutes({ faults, pipeline }: GatewayOptions): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/faults",
      access: "caller",
      schema: describeList(),
      handle: () => jsonAnswer(200, encodeFaultList(assertOn(faults).book.list())),
    },
    {
      method: "GET",
      path: PATH,
      access: "caller",
      schema: describeOne(),
      handle: (request) =>
        jsonAnswer(200, encodeFault(assertOn(faults).book.find(nameOf(request)))),
    },
    {
      method: "PUT",
      path: PATH,
      access: "caller",
      schema: describeSet(),
      handle: (request) => {
        const options = assertOn(faults);
        const by = assertOperator(request, options);
        const rule = decodeFault(nameOf(request), request.body, pipeline.clock.epochMs());
        options.book.set(rule, by);
        return jsonAnswer(200, encodeFault(rule));
      },
    },
    {
      method: "DELETE",
      path: PATH,
      access: "caller",
      body: "bytes",
      schema: describeRemove(),
      handle: (request) => {
        const options = assertOn(faults);
        const by = assertOperator(request, options);
        options.book.remove(nameOf(request), by);
        return { status: 204, contentType: "", body: "" };
      },
    },
  ];
}

function nameOf({ params }: FastifyRequest): string {
  return (params as { readonly name: string }).name;
}

/** @throws SluiceError `not_found` naming the setting */
function assertOn(faults: FaultOptions | undefined): FaultOptions {
  if (faults !== undefined) return faults;
  const message = "This server makes no faults; the setting faults.enabled is off.";
  throw new SluiceError("not_found", message);
}

/** @returns the id of the caller. @throws SluiceError `permission_denied` for callers who may only look */
function assertOperator({ context }: FastifyRequest, { operators }: FaultOptions): string {
  return assertKeyAllowed(context.caller, operators, "faults.operators");
}
