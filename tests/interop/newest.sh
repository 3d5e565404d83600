#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether a crate of the other side is newer than the newest that is tested here:
# worth a look each week. A line for each; status 1 if there is one, 77 where
# nobody can be asked. `make newest`.
cd "$(dirname "$0")" || exit 2

command -v cargo >/dev/null || {
    echo "skipped, no cargo"
    exit 77
}

# The version that the registry has; not asked in here, where cargo would answer
# with the one that is in use.
latest() { # crate
    (cd / && timeout 120 cargo info -q --registry crates-io "$1" 2>/dev/null) |
        sed -n 's/^version: \([0-9.]*\).*/\1/p'
}

newer=0 asked=0
look() { # crate, newest version tested
    is=$(latest "$1")
    if [ -z "$is" ]; then
        echo "$1: the registry does not answer"
    elif [ "$is" = "$2" ]; then
        asked=$((asked + 1))
        echo "$1: $is is the newest, and tested"
    else
        asked=$((asked + 1)) newer=1
        echo "$1: $is is there, $2 is the newest that is tested"
    fi
}

tested() { # of a script's lines: the last word
    sort -t. -k1,1n -k2,2n -k3,3n | tail -n 1
}

look maolan-plugin-protocol "$(sed -n \
    's/.*maolan-plugin-protocol", version = "=\([0-9.]*\)".*/\1/p' \
    */Cargo.toml | tested)"
look maolan-plugin-host "$(sed -n \
    's/^\(library_\)*host \([0-9.]*\)$/\2/p' real.sh | tested)"
look maolan-engine "$(sed -n 's/^engine \([0-9.]*\) .*/\1/p' real.sh | tested)"
[ "$asked" -gt 0 ] || exit 77
exit "$newer"
