#!/bin/sh
# SPDX-License-Identifier: MIT
# Devices, hosts and boards across namespaces: what is alive is seen, wherever its
# process has which number; nothing of others is removed; a board that another user
# has made under our name is passed over. Needs unshare; what is not permitted here
# is skipped and counted.
# shows DL-24 DL-38 MP-52
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

SHMLINK=$root/shmlink
SHMLINK_REGISTRY=n$$
export SHMLINK SHMLINK_REGISTRY
work=$(mktemp -d)
started=
board=/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY

tidy() {
    for p in $started; do
        kill "$p" 2>/dev/null
    done
    for p in $started; do
        wait "$p" 2>/dev/null
    done
    "$SHMLINK" clean >/dev/null 2>&1
    rm -rf "$work" /dev/shm/shl-*-n$$ /dev/shm/shl-*-n$$[.eu]*
}
trap tidy EXIT
trap 'exit 130' INT TERM

start() {
    timeout -k 2 300 "$@" </dev/null >"$work/out" 2>&1 &
    started="$started $!"
}

same() { # name, is, should be
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1: $2, not $3"; fi
}

device() { # id
    start "$SHMLINK" device -q --id "$1" --samplerate 48000
    "$SHMLINK" wait "$1:0" --timeout 200 >/dev/null || fail "no device $1"
}

# ---- under the parent's /proc: other processes have our numbers there ----------

if unshare --pid --fork true 2>/dev/null; then
    # Process 1 there has the number of another one under /proc, for sure.
    inside() { # what looks, words of the program that is process 1
        echo "$1" >"$work/look"
        shift
        {
            echo "(sh $work/look >$work/seen; kill 1) &"
            echo "exec \"\$SHMLINK\" $*"
        } >"$work/inside"
        timeout -k 2 200 unshare --pid --fork --kill-child sh "$work/inside" \
            >"$work/out" 2>&1 </dev/null
        tr '\n' ' ' <"$work/seen"
    }
    same "a device under the parent's /proc is seen" "$(inside \
        '"$SHMLINK" wait Inside:0 --timeout 60 >/dev/null
        "$SHMLINK" list | grep -c "Inside:0  *1 .*free"
        "$SHMLINK" clean' device -q --id Inside --samplerate 48000)" \
        "1 cleared 0 dead devices "
    device Outside
    same "a host there is no dead one" "$(inside \
        'left=200
        while ! "$SHMLINK" list | grep -q "Outside:0.* 1  *-" && [ $left -gt 0 ]; do
            left=$((left - 1))
            sleep 0.1
        done
        "$SHMLINK" list | grep -c "Outside:0.*busy  *1 "' \
        host -q --id Outside:0 --wait 60)" "1 "
    same "clean from inside takes nothing of the outside" \
        "$(timeout -k 2 100 unshare --pid --fork --kill-child \
            "$SHMLINK" clean)" "cleared 0 dead devices"
    same "from where it has its own /proc neither" \
        "$(timeout -k 2 100 unshare --pid --fork --kill-child --mount-proc \
            "$SHMLINK" clean)" "cleared 0 dead devices"
    same "and it is seen from there" \
        "$(timeout -k 2 100 unshare --pid --fork --kill-child --mount-proc \
            "$SHMLINK" list | grep -c 'Outside:0.*free')" 1
    same "and still there" "$("$SHMLINK" list | grep -c 'Outside:0.*free')" 1
    same "it says where it is" "$(SHMLINK_REGISTRY=${SHMLINK_REGISTRY}e \
        timeout 100 unshare --pid --fork "$SHMLINK" why No:0 |
        grep -c 'this program is in ')" 1
    rm -f "${board}e"
else
    skip "pid namespaces: not permitted here"
fi

# ---- a board that a user namespace has made for us ---------------------------------

other="setpriv --reuid 54321 --regid 54321 --clear-groups"
if [ "$(id -u)" = 0 ] && $other unshare -Ur true 2>/dev/null &&
    $other test -x "$SHMLINK"; then
    SHMLINK_REGISTRY=${SHMLINK_REGISTRY}u
    board=/dev/shm/shl-0-$SHMLINK_REGISTRY
    $other unshare -Ur "$SHMLINK" list >/dev/null 2>"$work/list"
    same "the board of another user has our name" "$(stat -c %u "$board")" 54321
    device Mine
    same "ours has a number behind it" "$(stat -c %u "$board.1")" 0
    same "its devices are seen" "$("$SHMLINK" list | grep -c Mine:0)" 1
    same "why names the other" "$("$SHMLINK" why No:0 |
        grep -c "skipped: the board $board belongs to user 54321")" 1
    same "in there, why says that it is a user namespace" \
        "$($other unshare -Ur "$SHMLINK" why No:0 |
            grep -c 'of user 0.*this program is in ')" 1
    rm -f "$board"
    same "ours wins before a new one" "$("$SHMLINK" list | grep -c Mine:0)" 1
    same "and none is made" "$(ls "$board" 2>/dev/null)" ""
else
    skip "boards of other users: needs root, setpriv and user namespaces"
fi
tally_end
