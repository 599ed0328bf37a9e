#!/usr/bin/env python3
"""Every check finds what it looks for, and leaves a clean project alone.

A small project is made in a temporary folder with a copy of the checks; each case plants one offence in it.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CHECKS = pathlib.Path(__file__).resolve().parent

HEADER = "// A thing that is here for the test of the checks.\n#pragma once\n"

CLEAN = {
    "model/thing.h": HEADER,
    "model/thing.cc": '#include "model/thing.h"\n\n#include <cstdint>\n',
    "protocols/p1/session.cc": '// Opens with a paragraph that says enough.\n#include "model/thing.h"\n',
    "formats/thing.h": HEADER,
    "hub/store/store.h": HEADER,
    "hub/outputs/output.h": HEADER,
    "hub/sources/source.h": HEADER,
    "hub/sources/source_test.cc": '#include "hub/store/store.h"\nTEST(Source, IsThere) {}\n',
    "simulators/meter.h": HEADER,
    "docs/page.md": "# A page, with `code`\n\n[here](#a-page-with-code) [there](other.md#two-words) `model/thing.h` `Source.IsThere`\n",
    "docs/other.md": "# Other\n\n## Two words\n\n```\n[no link](nowhere.md)\n```\n",
    "tests/vectors/p1/README.md": "Read me.\n",
    "tests/vectors/p1/a.telegram": "/A\n",
    "tests/vectors/p1/a.expected.json": '{"origin": "the public example", "input": {"file": "a.telegram"}}\n',
    "tests/vectors/q/README.md": "Source: the public example.\n",
    "tests/vectors/q/deep/a.hex": "00\n",
}

# (check, file, its content, what is said)
OFFENCES = [
    ("include_rules", "model/bad.cc", '#include "formats/thing.h"\n', "model must not include formats/thing.h"),
    ("include_rules", "protocols/p1/bad.cc", '#include "hub/store/store.h"\n', "protocols must not include"),
    ("include_rules", "hub/sources/bad.cc", '#include "hub/outputs/output.h"\n', "hub/sources must not include"),
    ("include_rules", "hub/sources/bad_test.cc", '#include "hub/outputs/output.h"\n', "hub/sources must not include"),
    ("include_rules", "hub/store/bad.cc", '#include "simulators/meter.h"\n', "hub/store must not include"),
    ("include_rules", "hub/bad.cc", "", "belongs to no room"),
    ("include_rules", "model/bad.cc", '#include "../formats/thing.h"\n', "is no path from the root"),
    ("portable_names", "model/bad.cc", "int x = std::bit_cast<int>(y);\n", "std::bit_cast"),
    ("portable_names", "model/bad.cc", "using enum Kind;\n", "using enum"),
    ("portable_names", "protocols/bad.cc", "#include <thread>\n", "<thread> is not for portable code"),
    ("portable_names", "protocols/bad.cc", "#include <mbedtls/aes.h>\n", "<mbedtls/aes.h> is not"),
    ("portable_names", "formats/bad.cc", "void F() { throw 1; }\n", "throw"),
    ("portable_names", "hub/store/bad.cc", "auto v = std::views::all(x);\n", "std::views"),
    ("source_habits", "model/bad.h", "#pragma once\n", "opens with a paragraph"),
    ("source_habits", "model/bad.h", "// A thing that is here for the test.\n", "no #pragma once"),
    ("source_habits", "app/bad.cc", "int main() {}\n", "opens with a paragraph"),
    ("source_habits", "app/bad_test.cc", "// " + "TO" + "DO: later\n", "without a reason"),
    ("source_habits", "docs/bad.md", "Look into /ro" + "ot/secret.\n", "somebody's machine"),
    ("source_habits", "docs/bad.md", "blank \n", "trailing blanks"),
    ("source_habits", "docs/bad.md", "no end", "no line end"),
    ("documents", "docs/bad.md", "[gone](gone.md)\n", "gone.md does not exist"),
    ("documents", "docs/bad.md", "[gone](other.md#three-words)\n", "no heading #three-words"),
    ("documents", "docs/bad.md", "![out](../../x.png)\n", "out of the project"),
    ("documents", "docs/bad.md", "`model/gone.h`\n", "names model/gone.h"),
    ("documents", "docs/bad.md", "`Source.IsGone`\n", "names the test Source.IsGone"),
    ("vectors_source", "tests/vectors/x/a.bin", "x\n", "its source is told neither"),
    ("vectors_source", "tests/vectors/x/a.expected.json", "{}\n", "its source is told neither"),
    ("shell_and_python", "tools/bad", "#!/usr/bin/env bash\nif\n", "syntax error"),
    ("shell_and_python", "tools/bad", "#!/usr/bin/env bash\n", "can't be run"),
]


class ChecksTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        shutil.copytree(CHECKS, self.root / "tools/check", ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["git", "init", "-q", self.root], check=True)
        for name, content in CLEAN.items():
            self.write(name, content)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def check(self, name):
        program = next((self.root / "tools/check").glob(name + ".*"))
        run = subprocess.run([program], cwd=self.root, capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    def test_a_clean_project_passes(self):
        for name in sorted({offence[0] for offence in OFFENCES}):
            with self.subTest(check=name):
                self.assertEqual((0, ""), self.check(name))

    def test_an_offence_is_found(self):
        for name, file, content, said in OFFENCES:
            with self.subTest(check=name, file=file, said=said):
                self.write(file, content)
                code, output = self.check(name)
                (self.root / file).unlink()
                self.assertEqual(1, code, output)
                self.assertIn(said, output)
                self.assertIn(str(pathlib.PurePosixPath(file).parent), output)


if __name__ == "__main__":
    sys.exit(unittest.main())
