# SPDX-License-Identifier: MIT
# For the tests that are shell scripts: Pd, devices, waiting. To be sourced;
# run.sh has set PD, root, here, SHMLINK and a registry of the test's own. All
# that is started here ends with the script.
started=
mirror=$root/build/tests/mirror
work=$(mktemp -d)

# The program of a plugin, writing beside Pd: its words come when they come, also
# in the midst of a line of Pd.
own=$work/shmplug
cat >"$own" <<END
#!/bin/sh
exec "$root/shmplug" "\$@" 2>>"$work/shmplug-says"
END
chmod +x "$own"
SHMLINK_PLUGIN_HOST=$own
export SHMLINK_PLUGIN_HOST

end_all() {
    for p in $started; do
        kill "$p" 2>/dev/null
    done
    for p in $started; do
        wait "$p" 2>/dev/null
    done
    started=
    rm -rf "$work"
}
trap end_all EXIT
trap 'exit 130' INT TERM

# start WORDS...: in the background, for ten minutes at most; its id in $last.
start() {
    timeout -k 2 600 "$@" </dev/null &
    last=$!
    started="$started $last"
}

# ready ID: until the board shows it.
ready() {
    "$SHMLINK" wait "$1" --timeout 400 >/dev/null || exit 1
}

mirror() { # name rate [word]
    [ -x "$mirror" ] || { echo "make programs builds what this needs"; exit 77; }
    start "$mirror" "$@"
    ready "$1"
}

# batch PATCH [more words]: as the runner does it.
batch() {
    b_patch=$1
    shift
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -path "$root/abstractions" \
        -path "$here/lib" "$@" -open "$here/pd/$b_patch" </dev/null 2>&1
}

# live PATCH: in real time.
live() {
    timeout -k 2 500 "$PD" -nogui -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -path "$root/abstractions" \
        -path "$here/lib" -open "$1" </dev/null 2>&1
}

# start_live PATCH LOG: the same in the background.
start_live() {
    start "$PD" -nogui -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -path "$root/abstractions" \
        -path "$here/lib" -open "$1" >"$2" 2>&1
}

# until_line FILE TEXT: until the file has it, 400 s at most.
until_line() {
    u_left=8000
    while ! grep -qF -- "$2" "$1" 2>/dev/null; do
        u_left=$((u_left - 1))
        [ "$u_left" -gt 0 ] || { echo "FAIL never said: $2"; return 1; }
        sleep 0.05
    done
}

# same NAME A B: one verdict.
same() {
    if [ "$2" = "$3" ]; then echo "ok $1"; else echo "FAIL $1: $2, not $3"; bad=1; fi
}
bad=0

# ask_patch FILE "BOX" "MESSAGE" ...: writes a patch that sends the box one message
# after the other, 20 ms of Pd's time apart, prints what it says as `reply: ...`
# and quits. `!TEXT` is a message to Pd itself, `~MS` a longer time. The box's
# signal outlets are counted by the last word of BOX, or by $outlet.
ask_patch() {
    a_file=$1 a_box=$2
    shift 2
    {
        echo '#N canvas 0 0 450 300 12;'
        echo "#X obj 20 60 $a_box;"
        echo '#X obj 20 20 loadbang;'
        echo '#X obj 200 200 print reply;'
        a_at=3 a_before=1
        for a_message in "$@" '!pd quit'; do
            a_ms=20
            case $a_message in '~'*) a_ms=${a_message#\~} a_message=bang ;; esac
            echo "#X obj 20 $((80 + 10 * a_at)) delay $a_ms;"
            case $a_message in
            '!'*) echo "#X msg 100 $((80 + 10 * a_at)) \\; ${a_message#!};" ;;
            bang) echo "#X obj 100 $((80 + 10 * a_at)) bang;" ;;
            *) echo "#X msg 100 $((80 + 10 * a_at)) $a_message;" ;;
            esac
            echo "#X connect $a_before 0 $a_at 0;"
            echo "#X connect $a_at 0 $((a_at + 1)) 0;"
            [ "$a_message" = bang ] ||
                echo "#X connect $((a_at + 1)) 0 0 0;"
            a_before=$a_at a_at=$((a_at + 2))
        done
        echo "#X connect 0 ${outlet:-${a_box##* }} 2 0;"
    } >"$a_file"
}

# replies LOG: what the box said, without links and latencies, and without what
# comes when it comes: lines of the device, blocks that a busy machine missed.
replies() {
    sed -n 's/^reply: //p' "$1" | tr -d '\\' |
        grep -v '^link \|^latency \|^log \|^xrun \|^stalled \|^resumed '
}

# live_until PATCH LOG COUNT TEXT: a Pd in real time, ended when its log has so
# many lines with the text.
live_until() {
    start_live "$1" "$2"
    l_left=8000
    while [ "$(grep -c "^$4" "$2")" -lt "$3" ] && [ $l_left -gt 0 ]; do
        l_left=$((l_left - 1))
        sleep 0.05
    done
    kill "$last" 2>/dev/null
    wait "$last" 2>/dev/null
}

# matches NAME LOG: each line of standard input is the start of a reply, in
# order, and there is no other.
matches() {
    m_name=$1
    replies "$2" >"$work/have"
    cat >"$work/want"
    m_bad=$(awk 'NR == FNR { want[++n] = $0; next }
        { m++
          if (m > n || index($0, want[m]) != 1) {
              print "got " $0 ", wanted " (m > n ? "nothing" : want[m]); exit } }
        END { if (m < n) print "wanted " want[m + 1] }' \
        "$work/want" "$work/have" | head -1)
    if [ -z "$m_bad" ]; then echo "ok $m_name"; else
        echo "FAIL $m_name: $m_bad"
        bad=1
    fi
}
