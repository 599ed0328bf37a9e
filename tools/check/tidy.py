#!/usr/bin/env python3
"""clang-tidy 14 over the sources, in parallel, with a cache.

A source that passed leaves a stamp in build/tidy-cache, named by a hash of everything that decides: the source, the project
headers it reaches, its compiler flags, .clang-tidy and the tool's version. What has a stamp is not looked at again.

Tests, benchmarks, fuzz targets and the simulated devices are left out: the macros of the frameworks trip the checks, and a
mistake there shows when they run.
SKIPPED names the sources that cost more than they give.

Sources that the build compiles in groups (cmake/unity.cmake) are looked at in those groups: the headers of the libraries,
which take most of the time, are then read once for the group.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

from project_files import ROOT, project_files

TIDY = "clang-tidy-14"
BUILD = ROOT / "build"
CACHE = BUILD / "tidy-cache"

# source -> why. Each is a thin wall around templates of a library: half a minute of parsing for few lines of our own.
SKIPPED = {
    "app/command_line.cc": "CLI11's templates take a minute and a half; the file is a list of options",
}

LEFT_OUT = ("tests/", "fuzz/", "simulators/")

# Findings in sources count as well as those in headers: a source of a group is included.
FINDINGS = r"/(model|protocols|formats|node|node_linux|hub|app|simulators|tests)/[^:]*\.(h|cc)$"

INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# Flags that only GCC or only the build knows.
ONLY_FOR_CLANG = ("-Wno-everything", "-fconstexpr-steps=50000000")
NOT_FOR_CLANG = ("-fcf-protection", "-Wno-maybe-uninitialized", "-Wno-dangling-reference", "-fanalyzer", "-fconcepts")


def prepare():
    """The compile commands, and the headers that the build makes: without them nothing parses."""
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["cmake", "-G", "Ninja", "-S", ROOT, "-B", BUILD, "-DCMAKE_BUILD_TYPE=Release"], check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "build.ninja"], check=True, stdout=subprocess.DEVNULL)
    made = subprocess.run(["ninja", "-C", BUILD, "-t", "targets", "rule", "CUSTOM_COMMAND"], check=True,
                          capture_output=True, text=True).stdout.split()
    headers = [name for name in made if name.endswith((".h", ".inc"))]
    if headers:
        subprocess.run(["ninja", "-C", BUILD, *headers], check=True, stdout=subprocess.DEVNULL)


def reached(path, roots, found):
    """Adds path and every file it includes by quotes, as far as they are found under the roots."""
    if path in found or not path.is_file():
        return
    found.add(path)
    for name in INCLUDE.findall(path.read_bytes()):
        for root in (path.parent, *roots):
            candidate = root / name.decode()
            if candidate.is_file():
                reached(candidate, roots, found)
                break


def key_of(members, flags, settings):
    digest = hashlib.sha256(settings)
    digest.update(" ".join(flags).encode())
    files = set()
    for source in members:
        reached(ROOT / source, (ROOT, BUILD / "generated"), files)
    for file in sorted(files):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def flags_of(entry):
    words = shlex.split(entry["command"])
    while words and not os.path.basename(words[0]).startswith(("c++", "g++", "clang++", "gcc", "cc", "clang")) \
            or os.path.basename(words[0]) == "ccache":
        words.pop(0)
    kept, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word in ("-c", "-MD", "-MMD", "-Werror", entry["file"]) or word.startswith(NOT_FOR_CLANG):
            pass
        else:
            kept.append(word)
    return kept


def members_of(path):
    """Names of the sources that this file of the build compiles: itself, or those of its group."""
    if path.is_relative_to(BUILD) and path.parent.name == "Unity":
        paths = [pathlib.Path(name.decode()) for name in INCLUDE.findall(path.read_bytes())]
    else:
        paths = [path]
    return [str(member.relative_to(ROOT)) for member in paths if member.is_relative_to(ROOT)]


def main():
    try:
        prepare()
    except subprocess.CalledProcessError as error:
        print("CMakeLists.txt:1: what clang-tidy needs can't be built: " + " ".join(map(str, error.cmd)))
        return 1
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
    settings = version + (ROOT / ".clang-tidy").read_bytes()
    CACHE.mkdir(exist_ok=True)
    sources = set(project_files(".cc"))
    for name in SKIPPED:
        if name not in sources:
            print(f"tools/check/tidy.py:1: SKIPPED names {name}, which does not exist")
            return 1
    work, seen = {}, set()
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        members = members_of(path)
        # The members of a group are of one kind, the first tells which.
        if not members or members[0] in seen or members[0] not in sources or members[0] in SKIPPED \
                or members[0].endswith(("_test.cc", "_bench.cc")) or members[0].startswith(LEFT_OUT):
            continue
        seen.update(members)
        flags = flags_of(entry)
        stamp = CACHE / key_of(members, flags, settings)
        if stamp.exists():
            stamp.touch()
        else:
            work[str(path)] = (flags, stamp, members)

    def look(path):
        flags, stamp, members = work[path]
        started = time.monotonic()
        run = subprocess.run([TIDY, "--quiet", f"--header-filter={FINDINGS}", path, "--", *flags, *ONLY_FOR_CLANG],
                             cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if run.returncode == 0:
            stamp.touch()
        name = members[0] if len(members) == 1 else f"{members[0]} and {len(members) - 1} more"
        return name, run, time.monotonic() - started

    failed, slow = 0, []
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("VESTA_JOBS") or os.cpu_count())) as pool:
        # The largest first, so that none is left alone at the end.
        def size(path):
            return sum((ROOT / member).stat().st_size for member in work[path][2])

        for name, run, seconds in pool.map(look, sorted(work, key=size, reverse=True)):
            slow.append((seconds, name))
            if run.returncode != 0:
                failed += 1
                print(run.stdout.replace(f"{ROOT}/", ""), end="")
                if not run.stdout.strip():
                    print(run.stderr)
    month_ago = time.time() - 30 * 24 * 3600
    for stamp in CACHE.iterdir():
        if stamp.stat().st_mtime < month_ago:
            stamp.unlink()
    slowest = ", ".join(f"{name} {seconds:.0f} s" for seconds, name in sorted(slow, reverse=True)[:5])
    print(f"tidy: {len(seen)} sources, {len(work)} groups of them looked at, {failed} failed" +
          (f"; slowest {slowest}" if slowest else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
