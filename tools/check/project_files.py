"""The files of the project, for the checks: what git tracks or would track, so that nothing built is looked at."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def project_files(*suffixes):
    """Paths relative to the root, sorted; all files when no suffix is given."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True).stdout.decode()
    names = sorted(set(name for name in listing.split("\0") if name))
    return [name for name in names if (not suffixes or name.endswith(suffixes)) and (ROOT / name).is_file()]


def lines_of(name):
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def report(offences):
    """Prints "file:line: text" for each and returns the exit code."""
    for file, line, text in offences:
        print(f"{file}:{line}: {text}")
    return 1 if offences else 0
