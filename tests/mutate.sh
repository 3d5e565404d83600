#!/bin/sh
# SPDX-License-Identifier: MIT
# Faults of one line, put into a copy of the tree one after the other: the tests that
# stand beside each must notice. Prints those that live; ends with 1 if more than one
# in twenty does, or if a fault is about a line that is no more.
#
#   mutate.sh [part of a title ...]     see mutations.txt
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/apart.sh"
apart "$0" "$@"

copy=$root/build/mutate
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
TALLY=$work/tally
export TALLY

mkdir -p "$copy/build"
git ls-files -co --exclude-standard | tar -cf - -T - | tar -xf - -C "$copy"
[ -e "$copy/build/pd-newer" ] || [ ! -e build/pd-newer ] ||
    ln -s "$root/build/pd-newer" "$copy/build/pd-newer"
build() { # targets
    nice make --no-print-directory -C "$copy" -j2 "$@" >"$work/build" 2>&1
}
build all programs || { tail -n 20 "$work/build"; exit 2; }

# What must be built anew for these tests.
targets() {
    for test; do
        case $test in
        pd:* | check_*)
            echo all programs
            return
            ;;
        esac
        echo "build/tests/$test"
    done
}

# One record: title, file, old, new, tests. The old line stands once in the file.
put_in() { # file old new
    cp -p "$copy/$1" "$work/whole"
    # not by -v, which takes backslashes for its own
    old=$2 new=$3 awk '
        BEGIN { old = ENVIRON["old"]; new = ENVIRON["new"] }
        { line = $0; sub(/^[ \t]+/, "", line); sub(/[ \t]+$/, "", line) }
        line == old { n++; print new; next }
        { print }
        END { exit n != 1 }' "$work/whole" >"$copy/$1"
}

take_out() { # file
    cp -p "$work/whole" "$copy/$1"
    touch "$copy/$1"
}

# Every test is given the time of a machine that is slow, not that of a hang.
noticed() { # tests
    : >"$TALLY"
    for test; do
        case $test in
        pd:*) (cd "$copy" && PD=$(command -v pd || command -v puredata) \
            LIMIT=120 sh tests/run.sh "${test#pd:}") ;;
        check_*) (cd "$copy" && SHMLINK_REGISTRY=u$$ timeout -k 5 300 \
            sh "tests/scripts/$test.sh") || echo fail >>"$TALLY" ;;
        *) (cd "$copy" && LIMIT=120 sh tests/programs.sh build "$test") ;;
        esac >"$work/log" 2>&1 </dev/null
        grep -q fail "$TALLY" && return 0
    done
    return 1
}

# The record separator of awk gives one line per fault, fields apart by \001.
records() {
    awk 'BEGIN { RS = ""; FS = "\n" }
        $1 ~ /^#/ { next }
        { sub(/^- /, "", $3); sub(/^[+] ?/, "", $4); sub(/^tests: /, "", $5)
          printf "%s\001%s\001%s\001%s\001%s\n", $1, $2, $3, $4, $5 }' \
        "$here/mutations.txt"
}

wanted() { # title
    [ -n "$patterns" ] || return 0
    for w in $patterns; do
        case $1 in *"$w"*) return 0 ;; esac
    done
    return 1
}

patterns=$*
died=0 lived=0 stale=0
records >"$work/records"
separator=$(printf '\001')
while IFS=$separator read -r title file old new tests <&3; do
    wanted "$title" || continue
    if ! put_in "$file" "$old" "$new"; then
        echo "STALE  $title: not once in $file: $old"
        stale=$((stale + 1))
    elif ! build $(targets $tests); then
        echo "STALE  $title: it does not build: $(grep -m 1 error "$work/build")"
        stale=$((stale + 1))
    elif noticed $tests; then
        died=$((died + 1))
        echo "died   $title"
    else
        lived=$((lived + 1))
        echo "LIVED  $title ($file: $new)"
    fi
    take_out "$file"
done 3<"$work/records"
build all programs
all=$((died + lived))
echo "$all faults put in, $died noticed, $lived lived, $stale stale"
[ "$stale" -eq 0 ] && [ "$all" -gt 0 ] && [ $((lived * 20)) -le "$all" ]
