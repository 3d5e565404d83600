#!/bin/sh
# SPDX-License-Identifier: MIT
# A device that is not there yet, comes, is killed, comes again, and leaves in
# an orderly way: the box and the board tell each step, and sound follows.
# shows DL-11 ME-01
. "$here/pd/pd.sh"

log=$work/log
start_live "$here/pd/with-wait.pd" "$log"
pd=$last
until_line "$log" "reply: open 0 MySynth:0 not_found" &&
    echo "ok waits for a device that is not there" || bad=1

device() {
    start "$SHMLINK" device -q --id MySynth:0
    until_lines "$log" "reply: open 1 MySynth:0" "$1" &&
        until_lines "$log" "sound: 1" "$1" &&
        until_lines "$log" "reg: claimed MySynth:0" "$1" &&
        echo "ok linked, and heard" || bad=1
}

# until_lines FILE TEXT N: until N lines of the file begin with it.
until_lines() {
    l_left=8000
    while [ "$(grep -c "^$2" "$1")" -lt "$3" ]; do
        l_left=$((l_left - 1))
        [ "$l_left" -gt 0 ] || { echo "FAIL $2 came not $3 times"; return 1; }
        sleep 0.05
    done
}

device 1
kill -9 "$("$SHMLINK" list --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -1)"
until_lines "$log" "reply: gone MySynth:0" 1 && echo "ok killed, told" || bad=1
until_lines "$log" "reg: removed MySynth:0" 1
until_lines "$log" "sound: 0" 2 && echo "ok killed, silent" || bad=1
device 2
kill "$last"
wait "$last"
until_lines "$log" "reply: gone MySynth:0" 2 && echo "ok left, told" || bad=1
until_lines "$log" "reg: removed MySynth:0" 2
kill "$pd"
wait "$pd" 2>/dev/null
for line in added claimed removed; do
    same "[shmreg] says $line twice" "$(grep -c "^reg: $line MySynth:0" "$log")" 2
done
[ "$bad" = 0 ] || cat "$log"
grep ^error "$log"
exit "$bad"
