"""Other people's clients: where they come from, and how they are run.

Each is fetched once, at fixed versions, into the cache, by the package client of its language.
Where the tests of a client come with its package, those are run; else a program of ours uses the
client, and what it prints has to be the same straight and through Powerstrip.
"""

import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as Xml

HERE = pathlib.Path(__file__).parent
# A test that hangs is ended; a suite that hangs is too.
TEST_SECONDS, SUITE_SECONDS = "90", 1800


class Pytest:
    """The tests in the source package of a Python client, run against the client as installed."""

    def __init__(self, name, package, folder, settings, requirements, arguments=()):
        self.name, self.package, self.folder, self.settings = name, package, folder, settings
        self.requirements, self.arguments = requirements, arguments

    def fetch(self, cache):
        """Makes a virtual environment and unpacks the tests."""
        self.home = cache / self.package.replace("==", "-")
        self.python = environment(self.home, [self.package, *self.requirements])
        if (self.home / self.folder).exists():
            return
        only = self.package.split("==")[0]
        do(self.python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", only,
           "--dest", self.home, self.package)
        archive = next(self.home.glob("*.tar.gz"))
        do("tar", "-C", self.home, "--strip-components=1", "--wildcards", "-xf", archive,
           "*/tests", self.settings)

    def run(self, variables, folder, only=()):
        """What became of each test, by its name."""
        report = pathlib.Path(folder) / f"{self.name}.xml"
        command = [self.python, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short"]
        command += ["-o", "addopts=", "--timeout", TEST_SECONDS, f"--junitxml={report}"]
        command += [*self.arguments, self.folder]
        if only:
            names = {name.split("::")[-1].split("[")[0] for name in only}
            command += ["-k", " or ".join(sorted(names))]
        with open(report.with_suffix(".log"), "ab") as log:
            subprocess.run(command, cwd=self.home, env=variables, stdout=log, stderr=log,
                           timeout=SUITE_SECONDS, check=False)
        return dict(map(outcome, Xml.parse(report).iter("testcase")))


def outcome(case):
    """The name of a test, and what became of it."""
    name = f"{case.get('classname')}::{case.get('name')}"
    for kind in ("failure", "error", "skipped"):
        if case.find(kind) is not None:
            return name, "skipped" if kind == "skipped" else "failed"
    return name, "passed"


class Program:
    """A program of ours that prints `{"step": …, "saw": …}` for each thing that it does."""

    def __init__(self, name, package, file, requirements=()):
        self.name, self.package, self.file = name, package, HERE / file
        self.requirements = requirements

    def fetch(self, cache):
        """Installs the client."""
        if self.file.suffix == ".py":
            home = cache / self.package.replace("==", "-")
            self.command = [environment(home, [self.package, *self.requirements]), "-B", self.file]
            return
        home = cache / self.package.replace("@", "-")
        if not (home / "node_modules").exists():
            do("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
               "--prefix", home, self.package)
        # Node looks for packages beside the program.
        self.command = ["env", f"NODE_PATH={home}/node_modules", "node", self.file]

    def run(self, variables, folder, only=()):
        """What each step saw, by its name; each depends on those before it, so that all are run."""
        printed = pathlib.Path(folder) / f"{self.name}.txt"
        with open(printed, "w", encoding="utf-8") as file, \
                open(printed.with_suffix(".log"), "ab") as log:
            subprocess.run(self.command, env=variables, stdout=file, stderr=log,
                           timeout=SUITE_SECONDS, check=False)
        lines = map(json.loads, printed.read_text(encoding="utf-8").splitlines())
        return {line["step"]: json.dumps(line["saw"]) for line in lines}


def environment(home, packages):
    """The Python of a virtual environment that holds these packages."""
    python = home / "venv" / "bin" / "python"
    if not (home / "complete").exists():
        home.mkdir(parents=True, exist_ok=True)
        do(sys.executable, "-m", "venv", "--clear", home / "venv")
        do(python, "-m", "pip", "install", "--quiet", *packages)
        (home / "complete").touch()
    return python


def do(*command):
    subprocess.run([str(word) for word in command], check=True)


ALL = [
    Pytest(
        "docker-py",
        "docker==7.0.0",
        "tests/integration",
        "*/pytest.ini",
        ["requests==2.31.0", "websocket-client==1.9.0", "paramiko==3.5.1", "pytest==8.3.5",
         "pytest-timeout==2.3.1"],
        # They test programs that keep passwords, and leave an environment without DOCKER_HOST.
        ["--ignore", "tests/integration/credentials"],
    ),
    Pytest(
        "aiodocker",
        "aiodocker==0.27.0",
        "tests",
        "*/pyproject.toml",
        ["pytest==9.0.3", "pytest-asyncio==1.3.0", "pytest-cov==7.1.0", "pytest-timeout==2.4.0",
         "testcontainers==4.14.2", "async-timeout==5.0.1", "asyncssh==2.22.0", "paramiko==3.5.1"],
    ),
    Program("dockerode", "dockerode@5.0.1", "dockerode.js"),
    Program("testcontainers", "testcontainers==4.15.0", "testcontainers_client.py"),
]
SUITES = {suite.name: suite for suite in ALL}
