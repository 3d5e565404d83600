#!/bin/sh
# SPDX-License-Identifier: MIT
# What the console says of a device that leaves: a reason if it was closed, none if
# it was killed.
# shows DL-09
. "$here/pd/pd.sh"

left() { # signal; what the console says of a device that it ends
    start "$SHMLINK" device --id Leaver:0 -q
    device=$last
    ready Leaver:0
    ask_patch "$work/ask.pd" "shmlink~ Leaver:0 2 2" "~60000"
    start_live "$work/ask.pd" "$work/log"
    until_line "$work/log" "reply: open 1" || bad=1
    kill "-$1" $(pgrep -P "$device")
    until_line "$work/log" "reply: gone" || bad=1
    kill "$last"
    wait "$last" "$device" 2>/dev/null
    said=$(sed -n 's/.*the device Leaver:0 has left\(.*\): it is.*/\1/p' \
        "$work/log")
}

left TERM
same "a device that is closed says so" "$said" " (closed)"
left KILL
same "one that is killed says nothing" "$said" ""
exit "$bad"
