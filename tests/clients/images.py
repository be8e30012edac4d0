"""Images under the names that suites ask Docker Hub for, made of programs of this machine."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

REGISTRY = "127.0.0.1:5000"
USERS = "root:x:0:0:root:/root:/bin/sh\npostgres:x:70:70:postgres:/var/opt:/bin/sh\n"
# Each name, what it holds, and what it runs.
IMAGES = [
    ("busybox:latest", "busybox", {"CMD": ["sh"]}),
    ("alpine:latest", "busybox", {"CMD": ["sh"]}),
    ("alpine:3.10", "busybox", {"CMD": ["sh"]}),
    ("hello-world:latest", "busybox", {"CMD": ["/hello"]}),
    ("hello-world:linux", "busybox", {"CMD": ["/hello"]}),
    ("python:3.13-alpine", "python", {"CMD": ["python"]}),
    ("python:3.14-alpine", "python", {"CMD": ["python"]}),
    ("registry:2", "registry", {"ENTRYPOINT": ["docker-registry"], "CMD": ["serve", "/config"]}),
]


def publish(folder, docker):
    """Pushes them to the registry: as Hub's, of which it is the mirror, and as its own."""
    roots = {"busybox": busybox, "python": python, "registry": registry}
    for kind, fill in roots.items():
        fill(folder / kind)
    for name, kind, run in IMAGES:
        changes = [f"--change={key} {json.dumps(words)}" for key, words in run.items()]
        for there in (f"{REGISTRY}/library/{name}", f"{REGISTRY}/{name}"):
            tar = subprocess.Popen(["tar", "-C", folder / kind, "-c", "."], stdout=subprocess.PIPE)
            docker("import", *changes, "-", there, stdin=tar.stdout)
            docker("push", there)


def busybox(root):
    """Nothing but busybox, under all its names."""
    for name in ("bin", "tmp", "etc", "root", "home", "usr/bin", "var/log", "var/opt"):
        (root / name).mkdir(parents=True)
    (root / "etc" / "passwd").write_text(USERS)
    (root / "etc" / "group").write_text("root:x:0:\npostgres:x:70:\n")
    (root / "hello").write_text("#!/bin/sh\necho Hello from Docker!\n")
    (root / "hello").chmod(0o755)
    shutil.copy(shutil.which("busybox"), root / "bin" / "busybox")
    applets = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")


def python(root):
    """The Python that runs this, where it expects its files to be."""
    busybox(root)
    program = pathlib.Path(os.path.realpath(sys.executable))
    library = pathlib.Path(os.__file__).parent
    skip = shutil.ignore_patterns("test", "__pycache__", "site-packages", "dist-packages", "*.a",
                                  "idlelib", "ensurepip", "config-*")
    shutil.copytree(library, within(root, library), symlinks=True, ignore=skip)
    add(root, program, *library.glob("lib-dynload/*.so"))
    for name in ("python", "python3"):
        (root / "bin" / name).symlink_to(program)


def registry(root):
    """Debian's registry, with the settings that the image of that name has."""
    busybox(root)
    program = pathlib.Path(shutil.which("docker-registry"))
    add(root, program)
    (root / "bin" / "docker-registry").symlink_to(program)
    storage = {"filesystem": {"rootdirectory": "/var/lib/registry"}}
    config = {"version": "0.1", "http": {"addr": ":5000"}, "storage": storage}
    (root / "config").write_text(json.dumps(config))


def add(root, *programs):
    """Copies programs with the libraries that they are linked with."""
    lines = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    libraries = {pathlib.Path(path) for path in re.findall(r"(/\S+) \(0x", lines)}
    for path in libraries.union(programs):
        target = within(root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def within(root, path):
    return root / str(path).lstrip("/")
