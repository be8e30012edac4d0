"""A laboratory for Docker clients: a registry, a new Docker Engine for each run, and Powerstrip.

It belongs into a network namespace of its own (scripts/foreign-suites makes one), so that its
fixed ports and the engine's bridges are nobody else's.
"""

import json
import os
import pathlib
import shutil
import subprocess
import time

import images

PATIENCE = 60


class Process:
    """A program that runs as long as its `with` block."""

    def __init__(self, log, command, **options):
        self.log = open(log, "ab")
        self.child = subprocess.Popen(command, stdout=self.log, stderr=self.log, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()
        self.log.close()

    def until(self, ready):
        """Waits until something holds; an error when the program ends before."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not start: see {self.log.name}")
            time.sleep(0.05)
        return self


class Lab:
    """What outlives the runs: certificates, images, the registry that holds them."""

    def __init__(self, folder, powerstrip, identity):
        self.folder = pathlib.Path(folder)
        self.powerstrip, self.identity = powerstrip, identity
        make_certificates(self.folder / "certs")
        self.runs = 0

    def registry(self):
        config = self.folder / "registry.json"
        storage = {"filesystem": {"rootdirectory": str(self.folder / "registry")}}
        http = {"addr": images.REGISTRY}
        config.write_text(json.dumps({"version": "0.1", "http": http, "storage": storage}))
        process = Process(self.folder / "registry.log", ["docker-registry", "serve", str(config)])
        return process.until(lambda: answers(f"http://{images.REGISTRY}/v2/"))

    def fill_registry(self):
        """Puts the images where engines will look for those of Docker Hub."""
        with self.engine() as engine:
            version = engine.docker("version", "--format", "{{.Server.Version}}").stdout
            self.version = version.decode().split("+")[0].strip()
            images.publish(self.folder / "images", engine.docker)

    def engine(self, tls=False):
        self.runs += 1
        return Engine(self, self.folder / f"run{self.runs}", tls)


class Engine:
    """A Docker Engine that nobody has used before, for as long as its `with` block."""

    def __init__(self, lab, folder, tls):
        self.lab, self.folder = lab, folder
        self.address = f"unix://{folder}/docker.sock"
        self.network = "tcp://127.0.0.1:" + ("2386" if tls else "2385")
        self.tls = tls

    def __enter__(self):
        self.folder.mkdir(parents=True)
        at = lambda name: str(self.folder / name)
        command = ["dockerd", "--data-root", at("data"), "--exec-root", at("exec")]
        command += ["--pidfile", at("pid"), "--iptables=false", "--shutdown-timeout", "1"]
        command += ["--registry-mirror", f"http://{images.REGISTRY}", "--ip6tables=false", "--experimental"]
        command += ["-H", self.address, "-H", self.network]
        if self.tls:
            certs = self.lab.folder / "certs"
            command += ["--tlsverify", f"--tlscacert={certs}/ca.pem"]
            command += [f"--tlscert={certs}/server.pem", f"--tlskey={certs}/server-key.pem"]
        self.process = Process(at("dockerd.log"), command)
        self.process.until(lambda: self.docker("version", check=False).returncode == 0)
        return self

    def __exit__(self, *_):
        self.process.__exit__()
        for line in open("/proc/self/mounts", encoding="utf-8").readlines():
            if line.split(" ")[1].startswith(str(self.folder)):
                subprocess.run(["umount", "--lazy", line.split(" ")[1]], check=False)
        for name in ("data", "exec"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def docker(self, *arguments, check=True, **options):
        """Runs the command line straight at this engine."""
        options.setdefault("stdin", subprocess.DEVNULL)
        command = ["docker", "-H", self.address, *arguments]
        return subprocess.run(command, check=check, capture_output=True, **options)

    def powerstrip(self, adapters):
        """A Powerstrip in front of this engine, on a unix socket, TCP, and TCP with TLS."""
        folder, certs = self.folder / f"powerstrip-{adapters}", self.lab.folder / "certs"
        (folder / "adapters").mkdir(parents=True)
        shutil.copy(self.lab.identity, folder / "adapters" / "identity.wasm")
        hooks = {"pre": ["identity"], "post": ["identity"]}
        tls = {"cert": f"{certs}/server.pem", "key": f"{certs}/server-key.pem"}
        tls["client_ca"] = f"{certs}/ca.pem"
        listen = [f"unix://{folder}/docker.sock", "tcp://127.0.0.1:2375"]
        listen.append({"address": "tcp://127.0.0.1:2376", "tls": tls})
        file = {"version": 1, "engine": self.address, "listen": listen}
        if adapters == "identity":
            file["endpoints"] = {"* *": hooks}
        (folder / "adapters.yml").write_text(json.dumps(file))
        command = [self.lab.powerstrip, "serve", "--config", str(folder / "adapters.yml")]
        process = Process(folder / "log", command, env=without_docker({"RUST_LOG": "info"}))
        process.until(lambda: (folder / "docker.sock").exists())
        process.address = f"unix://{folder}/docker.sock"
        return process

    def variables(self, transport, through):
        """What a client's environment holds to reach the engine, straight or through Powerstrip."""
        address = {"unix": through.address if through else self.address}
        address["tcp"] = "tcp://127.0.0.1:2375" if through else self.network
        address["tls"] = "tcp://127.0.0.1:2376" if through else self.network
        variables = {"DOCKER_HOST": address[transport]}
        if transport == "tls":
            variables["DOCKER_TLS_VERIFY"] = "1"
            variables["DOCKER_CERT_PATH"] = str(self.lab.folder / "certs")
        return without_docker(variables)


def without_docker(variables):
    """The environment of a program that is to know of no other engine and no other authority."""
    foreign = ("DOCKER_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    own = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # The image of testcontainers' reaper is to be had from Docker Hub only.
    return {**own, "TESTCONTAINERS_RYUK_DISABLED": "true", **variables}


def answers(url):
    return subprocess.run(["curl", "-sf", url], capture_output=True, check=False).returncode == 0


def make_certificates(folder):
    """An authority, a server and a client, under the names that Docker's clients look for."""
    folder.mkdir(parents=True)
    ssl = lambda *arguments: subprocess.run(
        ["openssl", *arguments], cwd=folder, check=True, capture_output=True
    )
    ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab",
        "-keyout", "ca-key.pem", "-out", "ca.pem")
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for cert, key in (("server.pem", "server-key.pem"), ("cert.pem", "key.pem")):
        ssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={cert}",
            "-keyout", key, "-out", "request.pem")
        ssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
            "-days", "2", "-extfile", "extensions", "-out", cert)
