#!/bin/sh
# SPDX-License-Identifier: MIT
# Everything that `make check` runs, in order, after it has been built; with
# SHL_SOAK=1 in the environment the same with full counts. Ends with one line:
# N passed, N failed, N skipped.
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

soak=${SHL_SOAK:-}
before=$(mktemp)
trap 'rm -f "$before"' EXIT
shm_names >"$before"

part() {
    echo
    echo "== $* =="
}

# A script that prints its own verdicts, or that just succeeds or fails.
script() { # file seconds
    verdicts=$(grep -c . "$TALLY")
    name=$(basename "$1" .sh)
    output=$(mktemp)
    SHMLINK_REGISTRY=s$$ timeout -k 10 "$2" sh "$1" >"$output" 2>&1 </dev/null
    status=$?
    cat "$output"
    if [ "$status" -eq 77 ]; then
        skip "$name: $(tail -n 1 "$output")"
    elif [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
        fail "$name took longer than $2 s"
    elif [ "$(grep -c . "$TALLY")" -gt "$verdicts" ]; then
        # It counted by itself; a bad end that it did not count is a failure.
        [ "$status" -eq 0 ] || tail -n +"$((verdicts + 1))" "$TALLY" |
            grep -q fail || fail "$name ended with status $status"
    elif [ "$status" -eq 0 ]; then
        pass "$name"
    else
        fail "$name ended with status $status"
    fi
    rm -f "$output" "/dev/shm/shl-$(id -u)-s$$" \
        "/dev/shm/shl-$(id -u)-s$$".[0-9]*
}

# A test that waits for the word of a program that is not there would wait long.
part "programs that tests need"
for program in cc clang git jackd pd pdsend pgrep pkg-config python3 sox strace; do
    command -v $program >/dev/null || lacking="${lacking:-} $program"
done
if [ -z "${lacking:-}" ]; then
    pass "all programs that tests need are here"
else
    fail "not installed:$lacking; make deps installs it"
    tally_end
    exit 1
fi

part "C programs"
sh "$here/programs.sh" build

part "scripts"
for file in "$here"/scripts/check_*.sh; do
    [ -e "$file" ] && script "$file" "$([ "$soak" ] && echo 7200 || echo 3000)"
done
if [ -n "$soak" ]; then
    for file in "$here"/scripts/soak_*.sh; do
        [ -e "$file" ] && script "$file" 14400
    done
fi

part "Pd"
sh "$here/run.sh"

part "hostile input"
sh "$here/fuzz.sh"

part "shared memory"
left=$(shm_left "$before")
if [ "$SHL_APART" != yes ]; then
    skip "nothing is left in shared memory: other programs share it here"
elif [ -z "$left" ]; then
    pass "nothing is left in shared memory"
else
    fail "left in shared memory: $left"
fi

echo
tally_end
