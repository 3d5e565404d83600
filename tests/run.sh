#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the Pd tests: tests/pd/test-*.pd in a batch Pd, tests/pd/test-*.sh, and
# every help patch and abstraction once, on each Pd there is.
#
#   run.sh [name ...]        only tests whose file name has one of these in it
#   PD=/path/to/pd run.sh    on this Pd alone
#
# Beside test-x.pd may stand
#   test-x.device    one line of options for `shmlink device` per device that is
#                    to run during the test, on a registry of the test's own
#   test-x.allow     error lines (parts of them) that may come
#   test-x.expect    error lines (parts of them) that must come
#   test-x.pds       words of PDS below on which it runs: old new double
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

limit=${LIMIT:-900} # only a hang is that slow
[ -z "${SHL_SOAK:-}" ] || limit=${LIMIT:-1800}

# Kind and program of every Pd: the packaged one, and those beside it.
pds() {
    if [ -n "${PD:-}" ]; then
        echo "${PD_KIND:-given} $PD"
        return
    fi
    for p in pd puredata; do
        command -v $p >/dev/null && { echo "old $(command -v $p)"; break; }
    done
    for p in "new puredata" "double puredata64"; do
        p_file=$(ls -d "$root"/build/pd-*/usr/bin/"${p#* }" 2>/dev/null | tail -1)
        echo "${p% *} ${p_file:--}"
    done
}

# ---- one test: run.sh -one KIND PD FILE ----------------------------------------

devices=
registry=r$$
work=

end_devices() {
    for d in $devices; do
        kill "$d" 2>/dev/null
    done
    for d in $devices; do
        wait "$d" 2>/dev/null
    done
    devices=
}

tidy() {
    end_devices
    "$root/shmlink" clean >/dev/null 2>&1
    rm -f "/dev/shm/shl-$(id -u)-$registry" \
        "/dev/shm/shl-$(id -u)-$registry".[0-9]*
    [ -z "$work" ] || rm -rf "$work"
}

start_device() { # options
    eval "set -- $1"
    timeout -k 2 $((limit + 10)) "$root/shmlink" device "$@" -q \
        >>"$work/devices" 2>&1 </dev/null &
    devices="$devices $!"
    d_id=$(echo " $* " | sed -n 's/.* --id \([^ ]*\) .*/\1/p')
    "$root/shmlink" wait "$d_id" --timeout 400 >>"$work/devices" 2>&1
}

run_pd() { # patch
    timeout -k 2 "$limit" "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -path "$root/abstractions" \
        -path "$here/lib" -open "$1" </dev/null
}

# What in the log speaks against the test, or nothing.
trouble() { # log, name without extension
    sed 's/^verbose([0-9]*): //' "$1" | grep -E "^error|couldn't create\
|can't load|no such object|^FAIL|consistency check|refusing to load" |
        cat - >"$work/errors"
    cat "$2.allow" "$2.expect" 2>/dev/null | grep . >"$work/allowed"
    if [ -s "$work/allowed" ]; then
        grep -vFf "$work/allowed" "$work/errors"
    else
        cat "$work/errors"
    fi
    [ -e "$2.expect" ] && grep . "$2.expect" | while read -r line; do
        grep -qF -- "$line" "$1" || echo "missing line: $line"
    done
}

one() { # kind pd file
    kind=$1 PD=$2 file=$3
    name=$(basename "$file")
    base=${file%.*}
    work=$(mktemp -d)
    trap tidy EXIT
    trap 'exit 130' INT TERM
    SHMLINK_REGISTRY=$registry SHMLINK=$root/shmlink
    SHMLINK_HOME=$work PD_KIND=$kind
    export PD root here SHMLINK SHMLINK_REGISTRY SHMLINK_HOME PD_KIND

    why=
    if [ -e "$base.device" ]; then
        while read -r line; do
            [ -n "$line" ] || continue
            start_device "$line" || why="its device did not start"
        done <"$base.device"
    fi
    case $file in
    *.sh) timeout -k 5 "$limit" sh "$file" >"$work/log" 2>&1 </dev/null ;;
    *) run_pd "$file" >"$work/log" 2>&1 ;;
    esac
    status=$?
    case $status in
    0) ;;
    124 | 137) why="${why:+$why, }it took longer than $limit s" ;;
    77) why=skip ;;
    *) why="${why:+$why, }exit status $status" ;;
    esac
    if [ "$why" = skip ]; then
        skip "[$kind] $name: $(tail -1 "$work/log")"
        return
    fi
    end_devices
    bad=$(trouble "$work/log" "$base")
    [ -z "$bad" ] || why="${why:+$why, }$(echo "$bad" | head -1)"
    # The patch must have said so itself: Pd also ends with 0 when half of it
    # could not be created.
    grep -q '^plan [0-9]* ran and failed: [0-9]* 0$' "$work/log" ||
        grep -q '^ok ' "$work/log" || why="${why:-no verdict}"

    if [ -z "$why" ]; then
        pass "[$kind] $name ($(grep -c '^ok ' "$work/log") checks)"
    else
        {
            fail "[$kind] $name: $why"
            sed 's/^/     | /' "$work/log" | tail -60
            [ ! -s "$work/devices" ] || sed 's/^/     > /' "$work/devices"
        } >"$work/out"
        cat "$work/out"
    fi
}

if [ "${1:-}" = -one ]; then
    shift
    one "$@"
    exit 0
fi

# ---- all tests ------------------------------------------------------------------

wanted() { # file
    [ -n "$patterns" ] || return 0
    for w in $patterns; do
        case $(basename "$1") in *"$w"*) return 0 ;; esac
    done
    return 1
}

patterns=$*
before=$(mktemp)
shm_names >"$before"
list=$(mktemp)
pds | while read -r kind pd; do
    for file in "$here"/pd/test-*.pd "$here"/pd/test-*.sh; do
        [ -e "$file" ] && wanted "$file" || continue
        if [ -e "${file%.*}.pds" ] && [ "$kind" != given ]; then
            grep -qw "$kind" "${file%.*}.pds" || continue
        fi
        echo "$kind $pd $file"
    done
done >"$list"

for kind in $(awk '$2 == "-" { print $1 }' "$list" | sort -u); do
    skip "Pd tests on the $kind Pd: no newer Pd (see make deps)"
done
awk '$2 != "-"' "$list" | xargs -r -P "${JOBS:-2}" -L 1 sh "$0" -one

if [ ! -s "$list" ]; then
    fail "there is no Pd test${patterns:+ named $patterns}, or no Pd"
fi
# A board that a device has made anew while its test was tidying up: boards of
# users stay, those of tests have names of their own.
[ "$SHL_APART" != yes ] || rm -f /dev/shm/shl-"$(id -u)"-r[0-9]*
left=$(shm_left "$before")
[ -z "$left" ] || fail "the Pd tests left in shared memory: $left"
rm -f "$before" "$list"
tally_end
