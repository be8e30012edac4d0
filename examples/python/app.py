"""Labels every new container, and says so to whoever made it.

The adapter's part of adapters.yml: {config: {labels: {team: blue}}}.
"""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import lifecycle, post_hook, pre_hook
from wit_world.imports import carry, config, log
from wit_world.imports.types import HookError_BadMessage, RequestPatch, ResponsePatch


def settings(text):
    """The labels that the operator configured; an error names what to change."""
    labels = (json.loads(text) or {}).get("labels")
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise ValueError("labels: write a mapping of strings, for example {team: blue}")
    return labels


class Lifecycle(exports.Lifecycle):
    def describe(self):
        return lifecycle.Description(
            name="python-labels",
            version="0.1.0",
            summary="labels new containers",
            hooks=[lifecycle.Hook.PRE_HOOK, lifecycle.Hook.POST_HOOK],
            request_body=lifecycle.BodyNeed.JSON,
            response_body=lifecycle.BodyNeed.JSON,
            grants=[],
            config_schema=None,
            grpc=False,
        )

    def validate_config(self, config):
        try:
            settings(config)
        except ValueError as error:
            raise Err(str(error))


class PreHook(exports.PreHook):
    def handle(self, context, request):
        if request.body is None:
            raise Err(HookError_BadMessage("this adapter is for POST /containers/create only"))
        body = json.loads(request.body)
        added = settings(config.get())
        body["Labels"] = (body.get("Labels") or {}) | added

        carry.set(", ".join(sorted(added)).encode())
        log.write(log.Level.INFO, f"labelling with {len(added)} labels")
        return pre_hook.PreOutcome_Modify(
            RequestPatch(None, [], [], [], json.dumps(body).encode())
        )


class PostHook(exports.PostHook):
    def handle(self, context, request, response):
        if response.status_code != 201:
            return post_hook.PostOutcome_Pass()
        body = json.loads(response.body)
        labels = (carry.get() or b"").decode()
        body["Warnings"] = (body.get("Warnings") or []) + [f"labelled: {labels}"]
        return post_hook.PostOutcome_Modify(
            ResponsePatch(None, [], [], json.dumps(body).encode())
        )
