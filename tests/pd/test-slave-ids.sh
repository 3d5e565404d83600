#!/bin/sh
# SPDX-License-Identifier: MIT
# Devices of one name get numbers from the board, keep them when the patch is
# saved and opened again, and take the next ones when another has theirs.
# shows DL-21 DL-22
. "$here/pd/pd.sh"

sed "s|saved.pd /tmp|saved.pd $work|" "$here/pd/slave-ids.pd" \
    >"$work/slave-ids.pd"
start_live "$work/slave-ids.pd" "$work/log"
pd=$last
until_line "$work/log" "first: open 1 Twin:0" && echo "ok first" || bad=1
until_line "$work/log" "second: open 1 Twin:1" && echo "ok second" || bad=1
until_line "$work/log" "lone: open 1 Lone:0" && echo "ok without a host" || bad=1
left=8000
while [ ! -s "$work/saved.pd" ] && [ $left -gt 0 ]; do
    left=$((left - 1))
    sleep 0.05
done
sleep 0.2
kill "$pd"
wait "$pd" 2>/dev/null
same "ids saved" "$(grep -c '^#A open Twin:[01];' "$work/saved.pd")" 2
same "tag of the box not saved" "$(grep -c '^#A tag' "$work/saved.pd")" 0
grep '^error' "$work/log"

# the other way round: who has the number, keeps it
start "$SHMLINK" device -q --id Twin:1
ready Twin:1
mv "$work/saved.pd" "$work/slave-ids.pd"
start_live "$work/slave-ids.pd" "$work/log"
until_line "$work/log" "first: open 1 Twin:0" && echo "ok again" || bad=1
until_line "$work/log" "second: open 1 Twin:2" && echo "ok the next" || bad=1
until_line "$work/log" "Twin:1, the number of this box so far, is taken" &&
    echo "ok said" || bad=1
same "tag on the board" "$("$SHMLINK" list | grep -c 'Twin:0.*left')" 1
grep '^error' "$work/log"
[ "$bad" = 0 ] || cat "$work/log"
exit "$bad"
