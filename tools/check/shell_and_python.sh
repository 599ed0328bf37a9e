#!/usr/bin/env bash
# The scripts of the workshop parse, and can be run.
set -euo pipefail
failed=0
while IFS= read -r -d '' file; do
  [[ -f $file ]] || continue
  read -r first <"$file" || true
  case $first in
    '#!'*bash* | '#!/bin/sh'*) bash -n "$file" || failed=1 ;;
    '#!'*python3*) python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || failed=1 ;;
    *) continue ;;
  esac
  [[ -x $file ]] || { echo "$file:1: starts with #! and can't be run (chmod +x)"; failed=1; }
done < <(git ls-files -z --cached --others --exclude-standard -- dev .ci tools '*.sh' '*.py')
exit $failed
