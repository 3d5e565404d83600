#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts what the last `make bench` printed into docs/timing.md, between its marks: the
# parts that readers ask for, as they are.
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
table=$root/build/bench/table.txt
readme=$root/docs/timing.md
begin='<!-- bench: from `make bench` by `make bench-readme` -->'
end='<!-- end of bench -->'

[ -s "$table" ] || { echo "first: make bench" >&2; exit 1; }
for mark in "$begin" "$end"; do
    [ "$(grep -cxF -e "$mark" "$readme")" -eq 1 ] || {
        echo "docs/timing.md needs one line: $mark" >&2
        exit 1
    }
done
new=$(mktemp) || exit 1
trap 'rm -f "$new"' EXIT
{
    sed "/^$begin\$/q" "$readme"
    echo
    awk 'BEGIN { RS = ""; ORS = "\n\n" }
        follows || /^One block|^Pd.s cost|^At 1\.333|^Many.* at 1\.333/ {
            follows = !follows
            gsub(/\n/, "\n    ")
            print "    " $0
        }
        /goals met/ { print "    " $0 }' "$table"
    sed -n "/^$end\$/,\$p" "$readme"
} >"$new"
cat "$new" >"$readme"
