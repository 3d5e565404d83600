#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the cmocka programs of a build: programs.sh FOLDER [program ...].
# Each has a time limit; one that dies, hangs or says nothing has failed.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib/tally.sh"

folder=$1
shift
limit=${LIMIT:-1200} # only a hang is that slow
[ -z "${SHL_SOAK:-}" ] || limit=${LIMIT:-3600}
label=${LABEL:-}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

if [ $# -eq 0 ]; then
    for program in "$folder"/tests/test_*; do
        case $program in *.o | *.d) continue ;; esac
        [ -x "$program" ] && set -- "$@" "$(basename "$program")"
    done
fi
[ $# -gt 0 ] || fail "there is no test program in $folder/tests"

for program; do
    SHMLINK_REGISTRY=c$$ CMOCKA_MESSAGE_OUTPUT=TAP \
        timeout -k 5 "$limit" "$folder/tests/$program" >"$log" 2>&1 </dev/null
    status=$?
    passed=$(grep -c '^ok ' "$log")
    skipped=$(grep -c '^\(not \)\?ok .*# SKIP' "$log")
    failed=$(grep '^not ok ' "$log" | grep -vc '# SKIP')
    grep -q '^ok .*# SKIP' "$log" && passed=$((passed - skipped))
    case $status in
    0) why= ;;
    124 | 137) why="it took longer than $limit s" ;;
    *) why="exit status $status" ;;
    esac
    [ $((passed + failed + skipped)) -gt 0 ] || why="${why:-it ran no test}"
    # A program that ended badly without naming a test counts as one failure.
    [ -z "$why" ] || [ "$failed" -gt 0 ] || failed=1
    tally_add pass "$passed"
    tally_add skip "$skipped"
    tally_add fail "$failed"
    if [ "$failed" -gt 0 ]; then
        echo "FAIL $label$program: $failed of $((passed + failed)) tests" \
            "failed${why:+, $why}"
        sed 's/^/     | /' "$log" | tail -60
    else
        echo "ok   $label$program ($passed tests)"
    fi
    sed -n 's/^\(not \)\{0,1\}ok .*# SKIP */     skipped: /p' "$log"
    grep '^# figure:' "$log" | sed 's/^# figure:/     /'
done

rm -f "/dev/shm/shl-$(id -u)-c$$" \
        "/dev/shm/shl-$(id -u)-c$$".[0-9]*
tally_end
