#!/bin/sh
# SPDX-License-Identifier: MIT
# A device and a tag given by message are in the saved patch, and the patch
# opened again links to them.
# shows DL-22 DL-26
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id "My Synth"
ready "My Synth:0"
sed "s|saved.pd /tmp|saved.pd $work|" "$here/pd/with-saved.pd" \
    >"$work/with-saved.pd"
timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/with-saved.pd" </dev/null 2>&1
cat "$work/saved.pd"
same "box" "$(grep -cE '(obj 20 60 shmlink~ 2 1 -t;|obj 20 60 shmlink~ 2 1 -t, f 30;|#X f 30;)' "$work/saved.pd")" 2
same "tag" "$(grep -cF '#A tag my\ tag;' "$work/saved.pd")" 1
same "device" "$(grep -cF '#A open My\ Synth:0;' "$work/saved.pd")" 1
mv "$work/saved.pd" "$work/with-saved.pd"
timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/with-saved.pd" </dev/null >"$work/log" 2>&1
cat "$work/log"
same "opened again" "$(grep -m 1 '^reply: open' "$work/log")" \
    "reply: open 1 My_Synth:0"
same "tag on the board" "$("$SHMLINK" list | grep -c 'my.tag')" 1
exit "$bad"
