#!/bin/sh
# SPDX-License-Identifier: MIT
# The same notes, rendered twice by Pd on fresh devices, are the same bytes;
# and the same samples as `shmlink host` writes.
. "$here/pd/pd.sh"

render() { # file
    start "$SHMLINK" device -q --id MySynth:0
    ready MySynth:0
    cp "$here/pd/with-phrase.pd" "$work/with-phrase.pd"
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -open "$work/with-phrase.pd" \
        </dev/null 2>&1
    mv "$work/phrase.wav" "$1" || bad=1
    kill "$last"
    wait "$last"
}

# The last bytes of both files, which are the samples of one second.
samples() {
    tail -c 384000 "$1" | cksum
}

render "$work/a.wav"
render "$work/b.wav"
cmp "$work/a.wav" "$work/b.wav" && echo "ok twice the same bytes" || bad=1
start "$SHMLINK" device -q --id MySynth:0
ready MySynth:0
timeout 500 "$SHMLINK" host -q --id MySynth:0 --notes "$here/pd/phrase.txt" \
    --wav "$work/host.wav" || bad=1
same "samples of shmlink host" "$(samples "$work/a.wav")" "$(samples "$work/host.wav")"
# The ear of the test: silence would be the same as well.
same "sound" "$([ "$(gzip -c "$work/a.wav" | wc -c)" -gt 100000 ] && echo yes)" yes
exit "$bad"
