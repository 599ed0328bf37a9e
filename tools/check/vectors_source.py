#!/usr/bin/env python3
"""Every test vector says where it comes from.

A folder of tests/vectors has a README.md with a line that begins with "Source:", or each NAME.expected.json in it has a
non-empty "origin". Nothing else in the project holds captured bytes.
"""

import json
import pathlib
import sys

from project_files import ROOT, lines_of, project_files, report

VECTORS = "tests/vectors/"


def has_source_line(folder):
    """The folder's README.md, or one above it, names the source."""
    while folder != pathlib.PurePosixPath("tests"):
        readme = folder / "README.md"
        if (ROOT / readme).is_file() and any(line.lstrip("*_ ").startswith("Source:") for line in lines_of(str(readme))):
            return True
        folder = folder.parent
    return False


def main():
    offences = []
    folders = set()
    for path in project_files():
        if not path.startswith(VECTORS):
            continue
        folders.add(pathlib.PurePosixPath(path).parent)
        if path.endswith(".expected.json"):
            origin = json.loads((ROOT / path).read_text(encoding="utf-8")).get("origin")
            if not origin and not has_source_line(pathlib.PurePosixPath(path).parent):
                offences.append((path, 1, "has no origin and its folder's README.md no Source: line"))
    for folder in sorted(folders):
        if folder != pathlib.PurePosixPath("tests/vectors") and not has_source_line(folder):
            offences.append((f"{folder}/README.md", 1, "no line that begins with Source:"))
    return report(offences)


if __name__ == "__main__":
    sys.exit(main())
