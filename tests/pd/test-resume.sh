#!/bin/sh
# SPDX-License-Identifier: MIT
# A device that pauses is heard again, whatever the spacing of Pd's blocks: at Pd's
# defaults and in long bursts. What Pd counts is what was not heard, and no old
# sample is. (live.sh looks at more settings, and does not count.)
# shows ME-03 MP-39
. "$here/pd/pd.sh"

# host_patch FILE WORDS: numbers go to the mirror and must come back in the same
# block (with -t in the next), or be silence, or be faded in.
host_patch() {
    h_late=0
    case $2 in *-t*) h_late=64 ;; esac
    cat >"$1" <<END
#N canvas 0 0 600 500 12;
#X obj 20 20 loadbang;
#X msg 20 50 \\; pd dsp 1;
#X obj 20 90 shmlink~ Pause:0 1 1 -onloss silence $2;
#X obj 160 120 print box;
#X obj 20 60 sig~ 1;
#X obj 20 75 rpole~ 1;
#X obj 200 20 metro 200;
#X msg 200 50 stats;
#X obj 20 150 expr~ \$v1 == \$v2 - $h_late;
#X obj 20 180 rpole~ 1;
#X obj 20 210 snapshot~;
#X obj 20 240 print heard;
#X obj 200 150 rzero~ 1;
#X obj 200 180 expr~ (\$v1 == 1) * (\$v2 != \$v3 - $h_late) * (\$v2 > 2);
#X obj 200 210 rpole~ 1;
#X obj 200 240 snapshot~;
#X obj 200 270 print stale;
#X obj 300 80 route stats_done;
#X obj 300 110 t b b;
#X connect 0 0 1 0;
#X connect 0 0 6 0;
#X connect 6 0 7 0;
#X connect 7 0 2 0;
#X connect 4 0 5 0;
#X connect 5 0 2 0;
#X connect 2 0 8 0;
#X connect 5 0 8 1;
#X connect 8 0 9 0;
#X connect 9 0 10 0;
#X connect 10 0 11 0;
#X connect 2 0 12 0;
#X connect 12 0 13 0;
#X connect 2 0 13 1;
#X connect 5 0 13 2;
#X connect 13 0 14 0;
#X connect 14 0 15 0;
#X connect 15 0 16 0;
#X connect 2 1 3 0;
#X connect 2 1 17 0;
#X connect 17 0 18 0;
#X connect 18 0 10 0;
#X connect 18 1 15 0;
END
}

# count TEXT: lines of the log that begin with it.
count() {
    grep -c "^$1" "$log"
}

# stat KEY: as the box said last.
stat() {
    sed -n "s/^box: stats $1 //p" "$log" | tail -1
}

# more TEXT N: wait until more than N lines begin with it.
more() {
    m_left=1200
    while [ "$(count "$1")" -le "$2" ]; do
        m_left=$((m_left - 1))
        [ "$m_left" -gt 0 ] || { echo "FAIL $name: no more of '$1'"; bad=1; return 1; }
        sleep 0.05
    done
}

# heard_again: after the present moment.
heard_again() {
    a_heard=$(sed -n 's/^heard: //p' "$log" | tail -1)
    a_left=1200
    while :; do
        a_now=$(sed -n 's/^heard: //p' "$log" | tail -1)
        awk -v a="${a_heard:-0}" -v b="${a_now:-0}" \
            'BEGIN { exit !(b > a + 2000) }' && return 0
        a_left=$((a_left - 1))
        [ "$a_left" -gt 0 ] || { echo "FAIL $name: silent after $1"; bad=1; return 1; }
        sleep 0.05
    done
}

# pause SECONDS
pause() {
    kill -STOP "$device"
    sleep "$1"
    kill -CONT "$device"
}

# counts_right: all blocks but those missed were heard, up to the fading in of
# those that came after a missed one.
counts_right() {
    c_done=$(count 'box: stats_done')
    more 'box: stats_done' "$c_done"
    sleep 0.2
    c_verdict=$(awk '
        /^box: stats blocks / { blocks = $4 }
        /^box: stats missed / { missed = $4 }
        /^box: stats silent_frames / { silent = $4 }
        /^heard: / { heard = $2
            # the first blocks come before the claim is answered
            if (blocks && !start) { start = 1; first = blocks * 64 - silent - heard }
            gone = blocks * 64 - silent - heard - first
            if (start && (gone < 0 || gone > 64 * missed)) wrong = gone " of " missed }
        /^stale: / { stale = $2 }
        END { if (!start) print "nothing heard"
              else if (wrong) print "not heard and not counted: " wrong
              else if (stale > 0) print stale " old samples"
              else print "right" }' "$log")
    same "$name, counts" "$c_verdict" right
}

# trial NAME "BOX WORDS" PD WORDS...
trial() {
    name=$1
    log=$work/log-$(echo "$1" | tr ' ' '-')
    host_patch "$work/host.pd" "$2"
    shift 2
    start "$mirror" Pause:0 48000
    t_device=$last
    ready Pause:0
    device=$("$SHMLINK" list --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -1)
    start "$PD" -nogui -nrt -noprefs -nomidi -r 48000 -stderr -path "$root" \
        "$@" -open "$work/host.pd" >"$log" 2>&1
    t_host=$last
    more 'heard: [1-9]' 0 || return
    for p in 0.05 0.3 0.2; do
        pause $p
        heard_again "a pause of $p s"
    done
    for i in 1 2 3 4; do
        pause 0.008
        sleep 0.3
    done
    heard_again "all that"
    counts_right
    # the outlet tells each stall, the console the first
    t_lines=$(grep -c 'shmlink~ Pause:0: the device does not keep up' "$log")
    t_stalls=$(count 'box: stalled')
    same "$name, lines on the console of $t_stalls stalls" "$t_lines" \
        $((t_stalls > 0))
    echo "# figure: $name: $(stat stalls) stalls, $(stat missed) of $(stat blocks) blocks missed"
    kill "$t_host" "$t_device" 2>/dev/null
    wait "$t_host" "$t_device" 2>/dev/null
    [ "$bad" = 0 ] || { tail -60 "$log"; exit 1; }
}

[ -x "$mirror" ] || { echo "make programs builds what this needs"; exit 77; }
trial "defaults" "" -noaudio
trial "long bursts" "" -noaudio -sleepgrain 20
trial "long bursts, pipelined" "-t" -noaudio -sleepgrain 20
exit "$bad"
