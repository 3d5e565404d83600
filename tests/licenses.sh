#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether every source, header, script and patch for users says its licence, in a
# comment within its first two lines (a patch: anywhere):  licenses.sh [tree]
cd "${1:-$(dirname "$0")/..}" || exit 2

line="SPDX-License-Identifier: MIT"
silent=$(
    find Makefile .ci src include examples demo tests -type f \
        \( -name '*.[ch]' -o -name '*.rs' -o -name '*.sh' -o -name '*.awk' \
        -o -name '*.toml' -o -name Makefile -o -path '.ci/run' \) |
        while read -r file; do
            head -n 2 "$file" | grep -q "$line" || echo "$file"
        done
    find help abstractions examples demo -name '*.pd' -exec \
        grep -L "$line\|#X text [0-9]* [0-9]* LICENSE MIT" {} +
) 2>/dev/null
if [ -n "$silent" ]; then
    echo "$silent" | sed "s|$|: says no licence: begin it by a comment with the words $line|"
    exit 1
fi
echo "licenses: every source, script and patch says its licence"
