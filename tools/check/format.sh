#!/usr/bin/env bash
# Every C++ file looks as clang-format 14 leaves it (.clang-format).
set -euo pipefail
git ls-files -z --cached --others --exclude-standard -- '*.cc' '*.h' |
  xargs -0 -r sh -c 'for f; do [ -f "$f" ] && printf "%s\0" "$f"; done' sh |
  xargs -0 -r clang-format-14 --dry-run --Werror --ferror-limit=1
