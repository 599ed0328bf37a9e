#!/usr/bin/env python3
"""Links in the documents lead somewhere: files exist, anchors are headings of the file they point into.

Also, so that documents keep up with the source: a file named in backquotes with its folder and ending
(`hub/journal/journal.h`) exists, and so does a test (`Suite.NameOfTheTest`). Links into the web are not followed: the check needs no network.
"""

import functools
import re
import sys
import unicodedata

from project_files import ROOT, lines_of, project_files, report

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s+(\S+)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$")
CODE_SPAN = re.compile(r"`[^`]*`")
ROOMS = ("model", "protocols", "formats", "node", "hub", "app", "dashboard", "simulators", "tests", "fuzz", "docs",
         "packaging", "tools", "cmake")
NAMED_FILE = re.compile(r"`((?:" + "|".join(ROOMS) + r")/[A-Za-z0-9_./-]*\.[a-z]+)`")

NAMED_TEST = re.compile(r"`([A-Z][A-Za-z0-9]+\.[A-Z][A-Za-z0-9]{3,})`")
TEST = re.compile(r"^\s*(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\(\s*(\w+),\s*(\w+)", re.MULTILINE)


@functools.cache
def tests():
    return {".".join(names) for path in project_files("_test.cc") for names in TEST.findall((ROOT / path).read_text())}


def anchor_of(heading):
    """As GitHub makes it: letters, digits, - and _ are kept, blanks become -, all small."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    kept = [c for c in text.lower() if c in " -_" or unicodedata.category(c)[0] in "LN"]
    return "".join(kept).replace(" ", "-")


def prose(path):
    """(line number, line) outside fenced blocks."""
    fenced = False
    for number, line in enumerate(lines_of(path), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(path, cache={}):
    if path not in cache:
        found, seen = set(), {}
        for _, line in prose(path):
            match = HEADING.match(line)
            if match:
                anchor = anchor_of(match.group(1))
                count = seen.get(anchor, 0)
                seen[anchor] = count + 1
                found.add(anchor if count == 0 else f"{anchor}-{count}")
        cache[path] = found
    return cache[path]


def check_link(path, number, target, offences):
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return
    file, _, anchor = target.partition("#")
    destination = ((ROOT / path).parent / file).resolve() if file else ROOT / path
    if not destination.is_relative_to(ROOT):
        offences.append((path, number, f"{target} leads out of the project"))
    elif not destination.exists():
        offences.append((path, number, f"{target} does not exist"))
    elif anchor and destination.suffix == ".md":
        if anchor not in anchors(str(destination.relative_to(ROOT))):
            offences.append((path, number, f"no heading #{anchor} in {destination.relative_to(ROOT)}"))


def main():
    offences = []
    for path in project_files(".md"):
        for number, line in prose(path):
            without_code = CODE_SPAN.sub("", line)
            targets = [m.group(1) for m in LINK.finditer(without_code)]
            targets += [m.group(1) for m in REFERENCE.finditer(without_code)]
            for target in targets:
                check_link(path, number, target, offences)
            if path.startswith("tests/vectors/"):
                continue
            for match in NAMED_FILE.finditer(line):
                if not (ROOT / match.group(1)).exists():
                    offences.append((path, number, f"names {match.group(1)}, which does not exist"))
            for match in NAMED_TEST.finditer(line):
                if match.group(1) not in tests():
                    offences.append((path, number, f"names the test {match.group(1)}, which does not exist"))
    return report(offences)


if __name__ == "__main__":
    sys.exit(main())
