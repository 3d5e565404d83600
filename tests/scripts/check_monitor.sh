#!/bin/sh
# SPDX-License-Identifier: MIT
# What `shmlink monitor` tells of a link, and that its mapping can only be read.
# shows DL-53 DL-54
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

SHMLINK=${SHMLINK:-$root/shmlink}
work=$(mktemp -d)
SHMLINK_REGISTRY=m$$
export SHMLINK_REGISTRY
device= guest= json= host=

tidy() {
    for p in $guest $json $host $device; do
        kill "$p" 2>/dev/null
    done
    wait
    "$SHMLINK" clean >/dev/null 2>&1
    rm -rf "$work" "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
}
trap tidy EXIT
trap 'exit 130' INT TERM

says() { # title, pattern, file: within 20 s
    s_tries=8000
    until grep -q -- "$2" "$3" 2>/dev/null; do
        s_tries=$((s_tries - 1))
        if [ $s_tries -le 0 ]; then
            fail "$1: no line '$2'"
            sed 's/^/     | /' "$3" | tail -20
            return 1
        fi
        sleep 0.1
    done
    pass "$1"
}

gives() { # code, pattern, title, arguments
    g_code=$1 g_pattern=$2 g_title=$3
    shift 3
    timeout -k 2 1000 "$SHMLINK" monitor "$@" >"$work/out" 2>"$work/err" </dev/null
    g_status=$?
    if [ $g_status -eq "$g_code" ] && grep -qh -- "$g_pattern" "$work"/out \
        "$work"/err && { [ "$g_code" -eq 0 ] ||
        [ "$(wc -l <"$work/err")" -eq 1 ]; }; then
        pass "$g_title"
    else
        fail "$g_title: exit code $g_status"
        sed 's/^/     | /' "$work/out" "$work/err"
    fi
}

ends() { # title, pid: with exit code 0
    wait "$2"
    e_status=$?
    [ $e_status -eq 0 ] && pass "$1" || fail "$1: exit code $e_status"
}

# ---- what cannot be ----------------------------------------------------------

gives 2 'ID is missing' 'no id is a usage error'
gives 2 'no device name' 'an id that none can have' a/b
gives 2 'interval' 'an interval of 0' X --interval 0
gives 1 'no device Nobody:0' 'a device that is not there' Nobody:0
gives 1 'no device Nobody:0' 'and does not come' Nobody:0 --timeout 0.1
gives 0 'usage: shmlink monitor ID' '--help' --help

# ---- a link ------------------------------------------------------------------

timeout 1000 "$SHMLINK" monitor Seen:0 --timeout 60 --levels --interval 5 \
    >"$work/guest" 2>&1 </dev/null &
guest=$!
"$SHMLINK" device --id Seen -q >"$work/device" 2>&1 </dev/null &
device=$!
says 'it waits for the device' 'looking at Seen:0' "$work/guest" || exit 1
"$SHMLINK" monitor Seen --json --interval 5 --levels >"$work/json" \
    2>&1 </dev/null &
json=$!
says 'and JSON begins' '"what": "begin", "id": "Seen:0"' "$work/json"

segment=$("$SHMLINK" list --json | sed -n 's/.*"segment": "\([^"]*\)".*/\1/p')
maps=$(grep -F "$segment" "/proc/$json/maps" | awk '{ print $2 }' | sort -u)
if [ "$maps" = r--s ]; then
    pass "its mapping can only be read"
else
    fail "its mapping can only be read: $maps"
fi
writable=
for fd in "/proc/$json/fd"/*; do
    case $(readlink "$fd") in
    *"$segment"*)
        flags=$(sed -n 's/^flags:.*\(.\)$/\1/p' \
            "/proc/$json/fdinfo/$(basename "$fd")")
        [ $((flags % 4)) -eq 0 ] || writable="$writable $fd"
        grep -q '^lock:' "/proc/$json/fdinfo/$(basename "$fd")" &&
            writable="$writable lease"
        ;;
    esac
done
[ -z "$writable" ] && pass "and so can its descriptor, without a lease" ||
    fail "and so can its descriptor, without a lease:$writable"

printf '0 note 1 60 100 200\n' >"$work/notes"
"$SHMLINK" host --id Seen:0 --notes "$work/notes" --seconds 100 -q \
    >"$work/host" 2>&1 </dev/null &
host=$!
says 'claim' 'claimed by process [0-9]' "$work/guest"
says 'event' '-> event at [0-9]*: midi 90 3c 64' "$work/guest"
says 'levels' 'levels <- -[0-9]' "$work/guest"
says 'claim in JSON' '"what": "claimed", "process": [0-9]' "$work/json"
says 'event in JSON' \
    '"what": "event", "host": true, .*"midi": \[144, 60, 100\]' "$work/json"
says 'levels in JSON' '"host": false, "channels": \[[0-9.e-]*' "$work/json"

kill "$host"
ends 'the host ends in good order' "$host"
host=
says 'release' 'released by process [0-9]' "$work/guest"
says 'and its last word' '-> message bye (5), .*: ended$' "$work/guest"

# ---- its end -----------------------------------------------------------------

kill -INT "$json"
ends 'SIGINT ends it in good order' "$json"
json=
kill "$device"
wait "$device"
device=
ends 'so does the end of the device' "$guest"
guest=
says 'and it says so' 'Seen:0 has ended' "$work/guest"

tally_end
