import type { FastifyRequest } from "fastify";
import type { CollectionService } from "../../../core/collections/collection-service.ts";
import {
  decodeCollection,
  decodeIds,
  decodeItemPage,
  decodeItems,
  decodeMeasure,
  decodeSearch,
} from "../../../protocols/native/collections/decode-collection.ts";
import {
  encodeCollection,
  encodeCollections,
  encodeIds,
  encodeItems,
  encodeMatches,
  encodeReport,
} from "../../../protocols/native/collections/encode-collection.ts";
import { jsonAnswer } from "../../answer.ts";
import type { GatewayOptions } from "../../gateway-options.ts";
import type { Route } from "../../route.ts";
import type { InferenceCaller } from "../inference.ts";
import { BODIES, describe, WIRE } from "./schema.ts";

/** `/v1/collections` and what is below. */
export function createCollectionRoutes(
  { limits, server }: GatewayOptions,
  inference: InferenceCaller,
  service: CollectionService,
): Route[] {
  const waitOf = (request: FastifyRequest) => inference.waitOf(inference.callOf(request));
  return [
    {
      method: "POST",
      path: "/v1/collections",
      access: "caller",
      schema: describe({
        summary: "Make a collection",
        description: "One that exists with the same constants is left as it is.",
        body: BODIES.collection,
        status: 201,
        answer: WIRE.collection,
      }),
      handle: async (request) => {
        const made = await service.create(decodeCollection(request.body), waitOf(request));
        const headers = ["location", `/v1/collections/${made.name}`];
        return { ...jsonAnswer(201, encodeCollection(made)), headers };
      },
    },
    {
      method: "GET",
      path: "/v1/collections",
      access: "caller",
      schema: describe({
        summary: "List collections",
        description: "By name.",
        answer: WIRE.collections,
      }),
      handle: async () => jsonAnswer(200, encodeCollections(await service.list())),
    },
    {
      method: "GET",
      path: "/v1/collections/:name",
      access: "caller",
      schema: describe({
        summary: "Look at a collection",
        description: "With its number of items.",
        answer: WIRE.collection,
      }),
      handle: async (request) =>
        jsonAnswer(200, encodeCollection(await service.find(nameOf(request)))),
    },
    {
      method: "DELETE",
      path: "/v1/collections/:name",
      access: "caller",
      body: "bytes",
      schema: describe({
        summary: "Remove a collection",
        description: "With everything in it.",
        status: 204,
        answer: { description: "It is gone." },
      }),
      handle: async (request) => {
        await service.drop(nameOf(request));
        return { status: 204, contentType: "", body: "" };
      },
    },
    {
      method: "POST",
      path: "/v1/collections/:name/items",
      access: "caller",
      maxBodyBytes: server.maxTensorBodyBytes,
      schema: describe({
        summary: "Add items",
        description:
          "All or none. Items whose id exists are replaced. A collection that does not exist is made.",
        body: BODIES.items,
        answer: WIRE.ids,
      }),
      handle: async (request) => {
        const items = decodeItems(request.body, limits);
        const ids = await service.add(nameOf(request), items, waitOf(request));
        return jsonAnswer(200, encodeIds(ids));
      },
    },
    {
      method: "GET",
      path: "/v1/collections/:name/items",
      access: "caller",
      schema: describe({
        summary: "List items",
        description: "By id; parameters `limit`, `after`, `label` and `vectors`.",
        answer: WIRE.items,
      }),
      handle: async (request) => {
        const page = decodeItemPage(request.query as Readonly<Record<string, string>>);
        const { limit, after, label } = page;
        const range = {
          limit,
          ...(after === undefined ? {} : { after }),
          ...(label === undefined ? {} : { filter: { label } }),
        };
        return jsonAnswer(200, encodeItems(await service.page(nameOf(request), range), page));
      },
    },
    {
      method: "DELETE",
      path: "/v1/collections/:name/items/:id",
      access: "caller",
      body: "bytes",
      schema: describe({
        summary: "Remove an item",
        description: "Whether there was one is in the answer.",
        answer: WIRE.removed,
      }),
      handle: async (request) => {
        const { id } = request.params as { readonly id: string };
        const removed = await service.remove(nameOf(request), [id]);
        return jsonAnswer(200, JSON.stringify({ removed }));
      },
    },
    {
      method: "POST",
      path: "/v1/collections/:name/delete",
      access: "caller",
      schema: describe({
        summary: "Remove items",
        description: "By their ids; those that do not exist are passed over.",
        body: BODIES.ids,
        answer: WIRE.removed,
      }),
      handle: async (request) => {
        const removed = await service.remove(nameOf(request), decodeIds(request.body));
        return jsonAnswer(200, JSON.stringify({ removed }));
      },
    },
    {
      method: "POST",
      path: "/v1/collections/:name/search",
      access: "caller",
      schema: describe({
        summary: "Find the nearest items",
        description: "To a text or to a vector, of those that pass the filter.",
        body: BODIES.search,
        answer: WIRE.matches,
      }),
      handle: async (request) => {
        const query = decodeSearch(request.body, limits);
        const matches = await service.search(nameOf(request), query, waitOf(request));
        return jsonAnswer(200, encodeMatches(matches));
      },
    },
    {
      method: "POST",
      path: "/v1/collections/:name/evaluate",
      access: "caller",
      schema: describe({
        summary: "Measure how well the labelled items classify",
        description:
          "Leave-one-out: each labelled item is classified by the others. With a model, also how right the two are together.",
        body: BODIES.measure,
        answer: WIRE.report,
      }),
      handle: async (request) => {
        const options = decodeMeasure(request.body);
        const report = await service.measure(nameOf(request), options, waitOf(request));
        return jsonAnswer(200, encodeReport(report));
      },
    },
  ];
}

function nameOf(request: FastifyRequest): string {
  const { name } = request.params as { readonly name: string };
  return name;
}
