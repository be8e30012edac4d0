#!/usr/bin/env python3
"""Makes fields.txt: the names in the JSON bodies of requests, as the API's definitions have them.

Three sources are merged, because each knows names that the others lack:
- `api/swagger.yaml` and the Go types beside it, from Debian's golang-github-docker-docker-dev,
  golang-github-docker-go-connections-dev and golang-github-docker-go-units-dev (API 1.41);
- `src/models.rs` of the crate bollard-stubs (newer API).

usage: fields.py MOBY_FOLDER MODELS_RS VERSIONS > fields.txt
"""

import pathlib
import re
import sys

import yaml

# Endpoints -> where their body is described: swagger path, bollard struct, Go types.
ROOTS = {
    "container-create": (
        "POST /containers/create",
        "ContainerCreateBody",
        ["runconfig.ContainerConfigWrapper"],
    ),
    "container-update": (
        "POST /containers/{id}/update",
        "ContainerUpdateBody",
        ["container.UpdateConfig"],
    ),
    "container-start": (None, "HostConfig", ["container.HostConfig"]),
    "container-exec": ("POST /containers/{id}/exec", "ExecConfig", ["types.ExecConfig"]),
    "container-copy": (None, None, ["types.CopyConfig"]),
    "exec-start": ("POST /exec/{id}/start", "ExecStartConfig", ["types.ExecStartCheck"]),
    "checkpoint-create": (None, None, ["types.CheckpointCreateOptions"]),
    "commit": ("POST /commit", "ContainerConfig", ["container.Config"]),
    "image-push system-auth": ("POST /auth", "AuthConfig", ["types.AuthConfig"]),
    "network-create": (
        "POST /networks/create",
        "NetworkCreateRequest",
        ["types.NetworkCreateRequest"],
    ),
    "network-connect": (
        "POST /networks/{id}/connect",
        "NetworkConnectRequest",
        ["types.NetworkConnect"],
    ),
    "network-disconnect": (
        "POST /networks/{id}/disconnect",
        "NetworkDisconnectRequest",
        ["types.NetworkDisconnect"],
    ),
    "volume-create": (
        "POST /volumes/create",
        "VolumeCreateRequest",
        ["volume.VolumeCreateBody"],
    ),
    "volume-update": (None, "Body", []),
    "plugin-pull plugin-upgrade": ("POST /plugins/pull", None, []),
    "plugin-set": ("POST /plugins/{name}/set", None, []),
    "swarm-init": ("POST /swarm/init", "SwarmInitRequest", ["swarm.InitRequest"]),
    "swarm-join": ("POST /swarm/join", "SwarmJoinRequest", ["swarm.JoinRequest"]),
    "swarm-update": ("POST /swarm/update", "SwarmSpec", ["swarm.Spec"]),
    "swarm-unlock": ("POST /swarm/unlock", "SwarmUnlockRequest", ["swarm.UnlockRequest"]),
    "node-update": ("POST /nodes/{id}/update", "NodeSpec", ["swarm.NodeSpec"]),
    "service-create service-update": (
        "POST /services/create",
        "ServiceSpec",
        ["swarm.ServiceSpec"],
    ),
    "secret-create secret-update": ("POST /secrets/create", "SecretSpec", ["swarm.SecretSpec"]),
    "config-create config-update": ("POST /configs/create", "ConfigSpec", ["swarm.ConfigSpec"]),
}

# A position is None (a plain value), {"": position} (a map), [position] or {name: position}.


def merge(a, b):
    """One position out of two descriptions of it."""
    if a is None or b is None:
        return a if b is None else b
    if isinstance(a, list) and isinstance(b, list):
        return [merge(a[0], b[0])]
    if isinstance(a, dict) and isinstance(b, dict):
        if ("" in a) != ("" in b):
            # A map in one and spelled out in another: the later source is nearer to the code.
            return b
        # The later source is nearer to the engine's code: its spelling of a name wins.
        spelling = {k.lower(): k for k in [*a, *b]}
        a, b = ({k.lower(): v for k, v in side.items()} for side in (a, b))
        return {spelling[k]: merge(a.get(k), b.get(k)) for k in spelling}
    return a if not isinstance(a, list) else b


class Swagger:
    def __init__(self, path):
        self.doc = yaml.safe_load(path.read_text())

    def body(self, root):
        method, path = root.split()
        for parameter in self.doc["paths"][path][method.lower()]["parameters"]:
            if parameter["in"] == "body":
                return self.position(parameter["schema"])
        raise KeyError(root)

    def position(self, schema):
        if "$ref" in schema:
            return self.position(self.doc["definitions"][schema["$ref"].split("/")[-1]])
        if "allOf" in schema:
            out = None
            for part in schema["allOf"]:
                out = merge(out, self.position(part))
            return out
        if "items" in schema:
            return [self.position(schema["items"])]
        out = {n: self.position(s or {}) for n, s in schema.get("properties", {}).items()}
        if out:
            return out
        if "additionalProperties" in schema:
            inner = schema["additionalProperties"]
            return {"": self.position(inner) if isinstance(inner, dict) else None}
        return None


class Bollard:
    def __init__(self, path):
        text = path.read_text()
        self.structs = dict(re.findall(r"^pub struct (\w+) \{\n(.*?)^\}", text, re.M | re.S))
        self.types = dict(re.findall(r"^pub type (\w+) = (.*?);", text, re.M))

    def position(self, kind):
        kind = kind.strip()
        if found := re.fullmatch(r"Option<(.*)>", kind):
            return self.position(found[1])
        if found := re.fullmatch(r"Vec<(.*)>", kind):
            return [self.position(found[1])]
        if found := re.fullmatch(r"HashMap<\w+,(.*)>", kind):
            return {"": self.position(found[1])}
        if kind in self.types:
            return self.position(self.types[kind])
        if kind not in self.structs:
            return None
        fields = re.findall(
            r'#\[serde\(rename = "([^"]+)"\)\]\n((?:\s*#.*\n)*)\s*pub \S+: (.*),$',
            self.structs[kind],
            re.M,
        )
        return {
            name: {"": None} if "hashmap_empty" in attributes else self.position(inner)
            for name, attributes, inner in fields
        }


class Go:
    """A reader of Go's type declarations that knows as much Go as these packages use."""

    PACKAGES = {
        "types": "api/types",
        "container": "api/types/container",
        "network": "api/types/network",
        "mount": "api/types/mount",
        "swarm": "api/types/swarm",
        "runtime": "api/types/swarm/runtime",
        "volume": "api/types/volume",
        "blkiodev": "api/types/blkiodev",
        "filters": "api/types/filters",
        "runconfig": "runconfig",
        "nat": "../go-connections/nat",
        "units": "../go-units",
    }
    ALIASES = {"networktypes": "network"}

    def __init__(self, moby):
        self.types = {}
        for package, folder in self.PACKAGES.items():
            for path in sorted((moby / folder).glob("*.go")):
                if not re.search(r"_(test|windows)\.go$", path.name):
                    self.read(package, path.read_text())

    def read(self, package, text):
        text = re.sub(r"//.*", "", text)
        for name, body in re.findall(r"^type (\w+) struct \{\n(.*?)^\}", text, re.M | re.S):
            self.types[f"{package}.{name}"] = body.split("\n")
        for name, kind in re.findall(r"^type (\w+) ((?:map|\[\]).*)$", text, re.M):
            self.types[f"{package}.{name}"] = kind

    def position(self, package, kind):
        kind = kind.lstrip("*").strip()
        if kind.startswith("[]"):
            return None if kind == "[]byte" else [self.position(package, kind[2:])]
        if found := re.fullmatch(r"map\[[\w.]+\](.*)", kind):
            return {"": self.position(package, found[1])}
        if "." in kind:
            package, kind = kind.split(".")
            package = self.ALIASES.get(package, package)
        body = self.types.get(f"{package}.{kind}")
        if isinstance(body, str):
            return self.position(package, body)
        return None if body is None else self.struct(package, body)

    def struct(self, package, lines):
        out, embedded = {}, []
        for line in lines:
            found = re.match(r'\s*([\w, ]*?)\s*(\*?[\w.\[\]*{}]+)\s*(`.*`)?\s*$', line)
            if not found or not line.strip():
                continue
            names, kind, tag = found[1], found[2], found[3] or ""
            name = (re.search(r'json:"([^",]*)', tag) or ["", ""])[1]
            if name == "-":
                continue
            if not names and not name:
                embedded.append(self.position(package, kind) or {})
                continue
            for field in (names or kind).split(","):
                if field.strip()[0].isupper():
                    out[name or field.strip()] = self.position(package, kind)
        for part in embedded:
            out = {**part, **out}
        return out


def show(out, name, position, depth):
    suffix = ""
    while isinstance(position, list) or (isinstance(position, dict) and "" in position):
        suffix += " []" if isinstance(position, list) else " {}"
        position = position[0] if isinstance(position, list) else position[""]
    out.append("  " * depth + name + suffix)
    for inner in sorted(position or {}):
        show(out, inner, position[inner], depth + 1)


def main():
    moby, models, versions = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    swagger, bollard, go = Swagger(moby / "api/swagger.yaml"), Bollard(models), Go(moby)
    out = [
        "# The names in the JSON bodies of requests: which endpoint knows which field, and where",
        "# users' own keys begin. Two spaces per level. `{}` is a map with users' keys, `[]` a",
        "# list; what is indented below describes their entries. A name without either is a plain",
        "# value, or a struct where something is indented below it.",
        "#",
        f"# Made by fields.py from {versions}.",
    ]
    for names, (path, struct, kinds) in ROOTS.items():
        position = swagger.body(path) if path else None
        position = merge(position, bollard.position(struct) if struct else None)
        for kind in kinds:
            assert kind in go.types, kind
            found = go.position(*kind.split("."))
            if kind == "runconfig.ContainerConfigWrapper":
                # The legacy top level is lifted by code, for the engines that honour it.
                only = set(go.position("container", "HostConfig")) | {"Cpuset"}
                found = {k: v for k, v in found.items() if k not in only}
            position = merge(position, found)
        show(out, names, position, 0)
    print("\n".join(out))


if __name__ == "__main__":
    main()
