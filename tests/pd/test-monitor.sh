#!/bin/sh
# SPDX-License-Identifier: MIT
# [shmreg] looks at the links of two devices: what a host sends, levels, claims,
# the end of a device, and being told to stop.
# shows DL-53
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id One
ready One:0
start "$SHMLINK" device -q --id "Two Words"
ready "Two Words:0"
two=$last
log=$work/log
start_live "$here/pd/with-monitor.pd" "$log"
until_line "$log" 'says: monitor Nope:0 0' || { cat "$log"; exit 1; }
printf '0 note 1 60 100 200\n' >"$work/notes"
start "$SHMLINK" host -q --id One:0 --tag lead --notes "$work/notes" \
    --seconds 100
host=$last

line() { # title, pattern: must come
    l_left=8000
    until grep -q -- "$2" "$log"; do
        l_left=$((l_left - 1))
        [ "$l_left" -gt 0 ] || { echo "FAIL $1: no $2"; bad=1; return; }
        sleep 0.05
    done
    echo "ok $1"
}

line 'it begins' '^says: monitor One:0 1$'
line 'and by a name with a space' '^says: monitor Two_Words:0 1$'
same 'the same one again' "$(grep -c '^says: monitor One:0 1$' "$log")" 2
line 'a device that is not there' '^says: error monitor not_found '
line 'a wrong message' '^says: error monitor bad_value '
line 'a claim' '^says: connection One:0 1 [0-9]* lead$'
line 'an event' '^says: event One:0 out [0-9]* midi 144 60 100$'
line 'a level' '^says: level One:0 in 2 0\.[0-9]*$'
kill "$host"
wait "$host"
line 'a release' '^says: connection One:0 0 [0-9]* lead$'
line 'it stops' '^says: monitor One:0 0$'
kill "$two"
wait "$two"
line 'a device leaves' '^says: gone Two_Words:0$'
line 'which ends it' '^says: monitor Two_Words:0 0$'
[ "$bad" = 0 ] || cat "$log"
exit $bad
