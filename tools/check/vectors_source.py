#!/usr/bin/env python3
"""Every test vector says where it comes from.

Under tests/vectors each NAME.expected.json has a non-empty "origin" and names its input in "input.file"; any other file
that is no README.md, manifest or .gitattributes needs a README.md in its folder, or above it, with a line that begins with
"Source:".
"""

import json
import pathlib
import sys

from project_files import ROOT, lines_of, project_files, report

VECTORS = "tests/vectors/"
ABOUT = ("README.md", "MANIFEST.tsv", ".gitattributes")


def has_source_line(folder):
    """The folder's README.md, or one above it, names the source."""
    while folder != pathlib.PurePosixPath("tests"):
        readme = folder / "README.md"
        if (ROOT / readme).is_file() and any(line.lstrip("*_ ").startswith("Source:") for line in lines_of(str(readme))):
            return True
        folder = folder.parent
    return False


def main():
    paths = [pathlib.PurePosixPath(path) for path in project_files() if path.startswith(VECTORS)]
    explained = set()
    for path in paths:
        if path.name.endswith(".expected.json"):
            expected = json.loads((ROOT / path).read_text(encoding="utf-8"))
            if isinstance(expected, dict) and expected.get("origin"):
                explained.update((path, path.parent / expected.get("input", {}).get("file", "")))
    offences = []
    for path in paths:
        if path.name not in ABOUT and path not in explained and not has_source_line(path.parent):
            offences.append((path, 1, 'its source is told neither by an "origin" nor by a README.md with a line "Source: ..."'))
    return report(offences)


if __name__ == "__main__":
    sys.exit(main())
