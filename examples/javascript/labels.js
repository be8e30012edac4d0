// Labels every new container, and says so to whoever made it.
//
// The adapter's part of adapters.yml: {config: {labels: {team: blue}}}.

import { get as config } from "powerstrip:adapter/config@0.1.0";
import { write as log } from "powerstrip:adapter/log@0.1.0";
import * as carry from "powerstrip:adapter/carry@0.1.0";

const decode = (bytes) => new TextDecoder().decode(bytes);
const encode = (value) => new TextEncoder().encode(value);

/** The labels that the operator configured; an error names what to change. */
function settings(text) {
  const labels = JSON.parse(text)?.labels;
  const strings = (object) => Object.values(object).every((value) => typeof value === "string");
  if (typeof labels !== "object" || labels === null || !strings(labels)) {
    throw "labels: write a mapping of strings, for example {team: blue}";
  }
  return labels;
}

export const lifecycle = {
  describe() {
    return {
      name: "javascript-labels",
      version: "0.1.0",
      summary: "labels new containers",
      hooks: ["pre-hook", "post-hook"],
      requestBody: "json",
      responseBody: "json",
      grants: [],
      grpc: false,
    };
  },

  // What is thrown becomes the error of the `result`.
  validateConfig(text) {
    settings(text);
  },
};

export const preHook = {
  handle(_context, request) {
    if (request.body === undefined) {
      throw { tag: "bad-message", val: "this adapter is for POST /containers/create only" };
    }
    const body = JSON.parse(decode(request.body));
    const added = settings(config());
    body.Labels = { ...body.Labels, ...added };

    carry.set(encode(Object.keys(added).sort().join(", ")));
    log("info", `labelling with ${Object.keys(added).length} labels`);
    const patch = { variables: [], setHeaders: [], removeHeaders: [] };
    return { tag: "modify", val: { ...patch, body: encode(JSON.stringify(body)) } };
  },
};

export const postHook = {
  handle(_context, _request, response) {
    if (response.statusCode !== 201) {
      return { tag: "pass" };
    }
    const body = JSON.parse(decode(response.body));
    const labels = decode(carry.get() ?? new Uint8Array());
    body.Warnings = [...(body.Warnings ?? []), `labelled: ${labels}`];
    const patch = { setHeaders: [], removeHeaders: [] };
    return { tag: "modify", val: { ...patch, body: encode(JSON.stringify(body)) } };
  },
};
