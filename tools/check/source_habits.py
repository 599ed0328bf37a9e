#!/usr/bin/env python3
"""Habits of the source that no compiler checks.

Headers have `#pragma once` under an opening paragraph that says what they are for; sources without a header of their own
open with one too. No note of work left without its reason. No path of somebody's machine. No trailing blanks, one line
end at the end of a file.
"""

import re
import sys

from project_files import ROOT, lines_of, project_files, report

TEXT = (".cc", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".ts", ".tsx", ".css", ".html", ".json", ".service", ".yml", "dev")
# Inputs of tests keep their bytes as the device or its document gave them.
AS_RECEIVED = ("tests/vectors/", "fuzz/seeds/", "fuzz/corpus/", "LICENSE")

WORK_LEFT = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\([^)]{10,}\): \S)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|Users)/|(?<![\w.])/home/[a-z]")
OPENING_WORDS = 5


def opening_words(lines):
    """Words of the comment that a C++ file opens with."""
    words = 0
    for line in lines:
        if not line.startswith("//"):
            break
        words += len(line.strip("/ ").split())
    return words


def check_header(path, lines, offences):
    if "#pragma once" not in lines:
        offences.append((path, 1, "no #pragma once"))
    if opening_words(lines) < OPENING_WORDS:
        offences.append((path, 1, "a header opens with a paragraph that says what it is for"))


def main():
    offences = []
    for path in project_files(*TEXT):
        if path.startswith(AS_RECEIVED) or path.endswith("package-lock.json"):
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        lines = text.splitlines()
        if path.endswith(".h"):
            check_header(path, lines, offences)
        elif path.endswith(".cc") and not path.endswith(("_test.cc", "_bench.cc")):
            if not (ROOT / path[:-3]).with_suffix(".h").exists() and opening_words(lines) < OPENING_WORDS:
                offences.append((path, 1, "a source without a header opens with a paragraph that says what it is for"))
        if text and not text.endswith("\n"):
            offences.append((path, len(lines), "no line end at the end"))
        for number, line in enumerate(lines, 1):
            if path != "tools/check/source_habits.py":
                found = WORK_LEFT.search(line)
                if found:
                    offences.append((path, number, f"{found.group(1)} without a reason: write {found.group(1)}(why it waits): what"))
                if MACHINE_PATH.search(line):
                    offences.append((path, number, "a path of somebody's machine"))
            if line.rstrip() != line:
                offences.append((path, number, "trailing blanks"))
    return report(offences)


if __name__ == "__main__":
    sys.exit(main())
