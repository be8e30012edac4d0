"""Runs other people's clients and their tests straight at a Docker Engine and through Powerstrip.

What passes straight has to pass through; what does not is tried once more. Prints a line for each
comparison and the name of each regression, and ends with 1 if there is one.
"""

import argparse
import pathlib
import signal
import sys
import tempfile

from lab import Lab
from suites import SUITES

ROW = "{:<16} {:<10} {:<9} {:<9} {:>15} {:>14} {:>11}"
HEAD = ("suite", "engine", "transport", "adapters", "passed straight", "passed through",
        "regressions")


def main():
    # A `with` block ends what it has started only if we end by an exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    suites = [SUITES[name] for name in options.suite or SUITES]
    for suite in suites:
        suite.fetch(options.cache)
    if options.fetch:
        return
    with tempfile.TemporaryDirectory(prefix="powerstrip-suites-") as folder:
        lab = Lab(pathlib.Path(options.keep or folder), options.powerstrip, options.identity)
        with lab.registry():
            lab.fill_registry()
            say(ROW.format(*HEAD))
            counts = [compare(lab, suite, options) for suite in suites]
    say(f"{sum(counts)} regressions")
    sys.exit(1 if sum(counts) else 0)


def compare(lab, suite, options):
    """The number of regressions of one suite."""
    count = 0
    for transport in options.transport:
        straight = run(lab, suite, transport, None)
        if not passed(straight):
            sys.exit(f"nothing of {suite.name} passes straight over {transport}: see its log")
        for adapters in options.adapters:
            through = run(lab, suite, transport, adapters)
            worse = worse_again(lab, suite, (transport, adapters), worse_in(straight, through))
            say(ROW.format(suite.name, lab.version, transport, adapters, passed(straight),
                           passed(through), len(worse)))
            for line in worse:
                say(f"    {line}")
            count += len(worse)
    return count


def worse_again(lab, suite, setting, names):
    """Those of these tests that are worse another time too; foreign tests depend on chance."""
    if not names:
        return []
    transport, adapters = setting
    straight = run(lab, suite, transport, None, names)
    through = run(lab, suite, transport, adapters, names)
    return [
        f"{name}: {straight[name]} straight, {through.get(name)} through"
        for name in worse_in(straight, through) if name in names
    ]


def run(lab, suite, transport, adapters, only=()):
    """One run of a suite, on an engine of its own."""
    with lab.engine(tls=transport == "tls") as engine:
        engine.docker("pull", "busybox")
        if adapters is None:
            return suite.run(engine.variables(transport, None), engine.folder, only)
        with engine.powerstrip(adapters) as powerstrip:
            return suite.run(engine.variables(transport, powerstrip), engine.folder, only)


def worse_in(straight, through):
    """A test that fails straight may do as it likes."""
    return [
        name for name, outcome in straight.items() if outcome not in ("failed", through.get(name))
    ]


def passed(outcomes):
    return sum(outcome not in ("failed", "skipped") for outcome in outcomes.values())


def say(line):
    print(line, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--powerstrip", help="the program")
    parser.add_argument("--identity", help="the component that changes nothing")
    parser.add_argument("--cache", required=True, type=pathlib.Path, help="keeps the suites")
    parser.add_argument("--fetch", action="store_true", help="only fetch the suites")
    parser.add_argument("--keep", help="a new folder for logs and reports, to look at later")
    parser.add_argument("--transport", action="append", choices=["unix", "tcp", "tls"])
    parser.add_argument("--adapters", action="append", choices=["none", "identity"])
    parser.add_argument("suite", nargs="*", help=f"of {', '.join(SUITES)}; all by default")
    options = parser.parse_args()
    options.transport = options.transport or ["unix", "tcp", "tls"]
    options.adapters = options.adapters or ["none", "identity"]
    return options


if __name__ == "__main__":
    main()
