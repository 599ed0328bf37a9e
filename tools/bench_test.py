#!/usr/bin/env python3
"""The bench runner believes only what a program printed and how it ended."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parent / "bench"


class BenchTest(unittest.TestCase):
    def run_bench(self, programs, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            names = []
            for name, script in programs.items():
                path = os.path.join(folder, name)
                pathlib.Path(path).write_text("#!/bin/sh\n" + script, encoding="utf-8")
                os.chmod(path, 0o755)
                names.append(path)
            programs_list = os.path.join(folder, "benches.txt")
            pathlib.Path(programs_list).write_text("\n".join(names) + "\n", encoding="utf-8")
            run = subprocess.run([BENCH, programs_list, *arguments], capture_output=True, text=True)
        return run.returncode, run.stdout

    def test_ok(self):
        code, output = self.run_bench({"a_bench": "echo noise\necho bar speed 2.0 1.0 ok\n"})
        self.assertEqual(0, code)
        self.assertTrue(output.endswith("bar speed 2.0 1.0 ok\n"))

    def test_short(self):
        self.assertEqual(1, self.run_bench({"a_bench": "echo bar a 1 1 ok\n", "b_bench": "echo bar b 0 1 short\n"})[0])

    def test_a_program_that_fails_is_short(self):
        self.assertEqual(1, self.run_bench({"a_bench": "echo bar a 1 1 ok\nexit 3\n"})[0])

    def test_a_program_without_a_bar_is_short(self):
        self.assertEqual(1, self.run_bench({"a_bench": "echo hello\n"})[0])

    def test_name_of_a_program(self):
        programs = {"a_bench": "echo bar x 0 1 short\n", "b_bench": "echo bar y 1 1 ok\n"}
        self.assertEqual(0, self.run_bench(programs, "b_b")[0])
        self.assertEqual(1, self.run_bench(programs, "a_b")[0])

    def test_name_of_a_bar(self):
        programs = {"a_bench": "echo bar slow 0 1 short\necho bar quick 1 1 ok\n"}
        self.assertEqual(0, self.run_bench(programs, "quick")[0])
        self.assertEqual(2, self.run_bench(programs, "nothing")[0])


if __name__ == "__main__":
    sys.exit(unittest.main())
