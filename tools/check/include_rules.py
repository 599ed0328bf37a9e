#!/usr/bin/env python3
"""Who may include whom.

A room is a folder; MAY lists the rooms whose headers it may use besides its own. A file belongs to the longest room that
its path starts with. Tests and benchmarks stand beside what they test and may use more (TESTS_MAY). Includes are written
from the root of the project.
"""

import functools
import re
import sys

from project_files import ROOT, lines_of, project_files, report

PORTABLE = {"model", "protocols", "formats"}

MAY = {
    "model": set(),
    "protocols": {"model"},
    "formats": {"model"},
    "node": PORTABLE,
    "hub/clock": {"model"},
    "hub/devices": {"model"},
    "hub/audit": {"model", "hub/clock", "hub/journal/worker.h"},
    "hub/places": {"model", "hub/devices", "hub/journal/record.h"},
    "hub/store": {"model", "hub/devices", "hub/journal/record.h", "hub/places"},
    "hub/postgres": {"model", "hub/clock", "hub/devices", "hub/journal", "hub/store"},
    "hub/journal": {"model", "hub/devices", "hub/clock", "hub/store"},
    "hub/live": {"model", "hub/devices", "hub/clock", "hub/journal"},
    "hub/intake": PORTABLE | {"hub/devices", "hub/clock", "hub/journal", "hub/live", "hub/config"},
    "hub/keys": PORTABLE,
    "hub/nodes": PORTABLE | {"hub/clock", "hub/devices", "hub/live", "hub/keys"},
    "hub/config": {"model", "hub/audit/sha256.h"},
    "hub/catalog": PORTABLE | {"hub/devices"},
    "hub/mqtt": {"model", "hub/config", "hub/clock"},
    # The rooms at the hub's edge never include one another: they meet at the journal, the live view and the model.
    "hub/sources": PORTABLE | {"hub/config", "hub/clock", "hub/intake", "hub/live", "hub/mqtt",
                    "linux_radio"},
    "hub/outputs": {"model", "formats", "hub/config", "hub/clock", "hub/devices", "hub/journal", "hub/store", "hub/live",
                    "hub/mqtt", "hub/nodes", "hub/catalog"},
    "hub/export": {"model", "formats", "hub/devices", "hub/journal", "hub/store", "hub/postgres", "hub/catalog"},
    "hub/insight": {"model", "hub/config", "hub/clock", "hub/devices", "hub/journal", "hub/store", "hub/live"},
    "hub/web": {"model", "formats", "hub/config", "hub/clock", "hub/devices", "hub/journal", "hub/store", "hub/live",
                "hub/intake", "hub/keys", "hub/nodes", "hub/catalog", "hub/audit", "hub/places"},
    "linux_radio": PORTABLE,
    "node_linux": PORTABLE | {"node", "linux_radio"},
    "simulators": PORTABLE | {"node"},
    "app": PORTABLE | {"node", "hub", "simulators", "linux_radio"},
    "tools/sql": {"model", "hub/store"},
    "tests": PORTABLE | {"node", "hub", "simulators", "app", "linux_radio"},
    "fuzz": PORTABLE | {"node", "hub", "simulators", "app"},
}

# On top of the room's own: the store is the one real implementation that tests of the journal's users need, the catalog
# has every protocol's fields. Edge rooms stay apart in tests too.
TESTS_MAY = {
    "model": set(),
    "protocols": set(),
    "formats": {"protocols"},
    "node": set(),
    "simulators": set(),
}
HUB_TESTS_MAY = PORTABLE | {"hub/config", "hub/clock", "hub/devices", "hub/store", "hub/journal", "hub/live", "hub/intake",
                            "hub/catalog"}

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


@functools.cache
def cmake_text():
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in project_files("CMakeLists.txt", ".cmake"))


def is_generated(target):
    """A header that the build makes is named by the CMake file that makes it."""
    return target.rsplit("/", 1)[-1] in cmake_text()


def room_of(path):
    fitting = [room for room in MAY if path.startswith(room + "/")]
    return max(fitting, key=len) if fitting else None


def allowed(room, path, target):
    may = MAY[room] | {room}
    if path.endswith(("_test.cc", "_bench.cc")) or "_test_" in path or path.endswith("_test.h"):
        may = may | TESTS_MAY.get(room, HUB_TESTS_MAY)
    return any(target == entry or target.startswith(entry + "/") for entry in may)


def main():
    offences = []
    for path in project_files(".cc", ".h"):
        if path.startswith("firmware/"):
            continue  # the vendor's build decides about paths there
        room = room_of(path)
        if room is None:
            offences.append((path, 1, "belongs to no room; name its folder in tools/check/include_rules.py"))
            continue
        for number, line in enumerate(lines_of(path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            if "/" not in target and is_generated(target):
                continue
            if not (ROOT / target).is_file() and not is_generated(target):
                offences.append((path, number, f'"{target}" is no path from the root of the project'))
            elif not allowed(room, path, target):
                offences.append((path, number, f"{room} must not include {target}"))
    return report(offences)


if __name__ == "__main__":
    sys.exit(main())
