#!/bin/sh
# SPDX-License-Identifier: MIT
# Shared memory that is full, missing, or not for this user: one clear sentence,
# an answer with the reason, and an object that goes on answering. Each in a
# /dev/shm of its own.
# shows DL-54 DL-55
. "$here/pd/pd.sh"

unshare -m true 2>/dev/null || { echo "needs the right to mount"; exit 77; }

# refused NAME MOUNT STATUS WORDS [command before Pd]
refused() {
    r_name=$1 r_mount=$2 r_status=$3 r_words=$4
    shift 4
    timeout -k 2 500 unshare -m sh -c 'eval "$1" || exit 77; shift; exec "$@"' \
        sh "$r_mount" "$@" "$PD" -nogui -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -open "$here/pd/with-refused.pd" \
        </dev/null >"$work/log" 2>&1
    same "$r_name: Pd goes on to its end" $? 0
    same "$r_name: one error line, with the cause" \
        "$(grep -c '^error' "$work/log") $(grep -c "^error: shmlink~ MySynth:0: .*$r_words" "$work/log")" "1 1"
    same "$r_name: the reply" \
        "$(grep -c "^reply: open 0 MySynth:0 $r_status\$" "$work/log")" 1
    same "$r_name: why answers" "$(grep -c '^reply: why ' "$work/log")" 1
}

refused full 'mount -t tmpfs -o size=4k tmpfs /dev/shm' no_space \
    'shared memory is full: free some space'
refused missing 'mount -t tmpfs -o ro tmpfs /dev' no_shm \
    'this system offers no shared memory: mount'
if setpriv --reuid 65534 --clear-groups test -r "$root/shmlink~.pd_linux"; then
    refused 'not ours' 'mount -t tmpfs -o mode=0755 tmpfs /dev/shm' \
        no_permission 'no permission' setpriv --reuid 65534 --clear-groups
else
    echo "not ours: left out, another user cannot read this folder"
fi
[ "$bad" = 0 ] || cat "$work/log"
exit "$bad"
