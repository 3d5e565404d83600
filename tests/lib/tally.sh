# SPDX-License-Identifier: MIT
# Counting for all test scripts, to be sourced. Each verdict is one line on the
# screen and one word in the file $TALLY. The script that makes the file also
# prints the closing line; scripts called by it only add to it. The script begins
# again in a /dev/shm of its own, if it is not in one.

. "$here/lib/apart.sh"
apart "$0" "$@"

if [ -n "${TALLY:-}" ]; then
    tally_owner=
else
    TALLY=$(mktemp)
    export TALLY
    tally_owner=yes
fi

pass() {
    echo "ok   $*"
    echo pass >>"$TALLY"
}

fail() {
    echo "FAIL $*"
    echo fail >>"$TALLY"
}

skip() {
    echo "skip $*"
    echo skip >>"$TALLY"
}

# Add `count` verdicts of one kind: those of a program that counts by itself.
tally_add() { # kind count
    [ "$2" -le 0 ] || yes "$1" | head -n "$2" >>"$TALLY"
}

# Print the closing line. Fails if a test failed, or if none ran.
tally_end() {
    [ -n "$tally_owner" ] || return 0
    t_passed=$(grep -c pass "$TALLY")
    t_failed=$(grep -c fail "$TALLY")
    t_skipped=$(grep -c skip "$TALLY")
    rm -f "$TALLY"
    echo "$t_passed passed, $t_failed failed, $t_skipped skipped"
    [ "$t_failed" -eq 0 ] && [ "$t_passed" -gt 0 ]
}

# What stays in shared memory after its owners have gone: objects of ours that
# were not there before and whose leases nobody holds. Looked at more than once,
# since a living program may be between two steps. Where other programs of this
# user share the /dev/shm, nobody can say whose an object is. What JACK leaves is its
# own matter.
shm_names() {
    ls /dev/shm 2>/dev/null | grep -v '^jack[-_]' | sort
}

shm_unheld() { # file with the names that were there before
    shm_names | grep -vxFf "$1" | while read -r t_name; do
        t_inode=$(stat -c %i "/dev/shm/$t_name" 2>/dev/null) || continue
        grep -q ":$t_inode " /proc/locks || echo "$t_name"
    done
}

shm_left() { # file with the names that were there before
    [ "$SHL_APART" = yes ] || return 0
    t_left=$(shm_unheld "$1")
    for t_look in 1 2 3 4 5 6 7 8 9 10; do
        [ -n "$t_left" ] || return 0
        sleep 1
        t_now=$(shm_unheld "$1")
        t_left=$(for t_name in $t_left; do
            echo "$t_now" | grep -xF "$t_name"
        done)
    done
    echo $t_left
}
