#!/bin/sh
# SPDX-License-Identifier: MIT
# The long state of a plugin in a process of its own: as a file, back, and as a
# file again, bytes equal. 1 MiB in check, 64 MiB in soak, by a Pd in batch mode;
# in real time too.
# shows DL-35
. "$here/pd/pd.sh"

[ -x "$root/shmplug" ] || { echo "no shmplug"; exit 77; }
size=1048576
[ -z "${SHL_SOAK:-}" ] || size=67108864
start "$root/shmplug" --register Long builtin "fixture:state=$size" 48000 64 0 2
ready Long:0
ask_patch "$work/a.pd" "shmlink~ Long:0 0 2" "program_write a.shl" \
    "program_read a.shl" "program_write b.shl" "program_write no/where.shl"
for how in -batch live; do
    rm -f "$work/a.shl" "$work/b.shl"
    if [ "$how" != -batch ]; then
        ask_patch "$work/a.pd" "shmlink~ Long:0 0 2" "program_write a.shl" \
            "program_read a.shl" "program_write b.shl" \
            "program_write no/where.shl" "~600000"
        live_until "$work/a.pd" "$work/log" 1 "reply: error program_write"
    else
        timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
            -r 48000 -stderr -path "$root" -open "$work/a.pd" </dev/null \
            >"$work/log" 2>&1
    fi
    matches "states with $how" "$work/log" <<'END'
open 1 Long:0
program_write 1
program_read 1
program_write 1
program_write 0
error program_write not_found
END
    same "bytes with $how" "$(cmp "$work/a.shl" "$work/b.shl" 2>&1)" ""
    same "size with $how" "$(wc -c <"$work/a.shl" | tr -d ' ')" $((size + 160))
done
exit "$bad"
