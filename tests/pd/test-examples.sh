#!/bin/sh
# SPDX-License-Identifier: MIT
# The two patches of examples/, as a user opens them: player first, instrument
# after it. They find each other, a note sounds, and again when the instrument
# was closed and comes back.
# shows DL-50
. "$here/pd/pd.sh"

start_live "$root/examples/player.pd" "$work/player"
player=$last
until_line "$work/player" "player: open 0 MyInstrument" || bad=1
for turn in 1 2; do
    start_live "$root/examples/instrument.pd" "$work/instrument"
    instrument=$last
    until_line "$work/instrument" "instrument: claimed" || bad=1
    u_left=8000
    while [ "$(grep -c "player: open 1" "$work/player")" -lt $turn ]; do
        u_left=$((u_left - 1))
        [ "$u_left" -gt 0 ] || { echo "FAIL no link, turn $turn"; bad=1; break; }
        sleep 0.05
    done
    echo "ok linked by itself, turn $turn"
    kill "$instrument"
    wait "$instrument"
    until_line "$work/player" "player: gone MyInstrument:0" || bad=1
done

start_live "$root/examples/instrument.pd" "$work/instrument"
kill "$player"
ready MyInstrument:0
start "$SHMLINK" host --id MyInstrument:0 --wait 20 -q
"$SHMLINK" monitor MyInstrument:0 --levels --for 30 |
    grep -m 1 -E 'levels <- +-[12]?[0-9]\.' || bad=1
same "it sounds" "$bad" 0
grep -E "^error|couldn't" "$work/player" "$work/instrument"
exit "$bad"
