#!/bin/sh
# SPDX-License-Identifier: MIT
# Something else lies where the board should be: both objects say so, answer
# every message, and work once it is gone.
# shows DL-55
. "$here/pd/pd.sh"

board=/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY
printf 'this is no board' >"$board"
log=$work/log
start_live "$here/pd/with-no-board.pd" "$log"
until_line "$log" "reply: open 0 MySynth:0 foreign" && echo "ok open is answered" || bad=1
until_line "$log" "reply: param_count 0" && echo "ok requests are answered" || bad=1
until_line "$log" "reg: done 0" && echo "ok scan is answered" || bad=1
rm -f "$board"
start "$SHMLINK" device -q --id MySynth:0
ready MySynth:0
until_line "$log" "reply: open 1 MySynth:0" && echo "ok linked after all" || bad=1
until_line "$log" "reg: count 1" && echo "ok seen after all" || bad=1
[ "$bad" = 0 ] || tail -40 "$log"
grep '^error' "$log" | sort | uniq -c | sort -rn | head -20 | cut -c 9-
exit "$bad"
