#!/bin/sh
# SPDX-License-Identifier: MIT
# What the program shmlink does: every command, its exit codes, and one clear
# sentence for whatever cannot be done.  check_tool.sh [part of a title ...]
# shows DL-10 DL-12 DL-26 DL-44 DL-45 DL-55 ME-12
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

SHMLINK=${SHMLINK:-$root/shmlink}
work=$(mktemp -d)
SHMLINK_REGISTRY=k$$
export SHMLINK_REGISTRY
board=/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY
started=
unset XDG_RUNTIME_DIR

# ---- tools ------------------------------------------------------------------

end_started() {
    for p in $started; do
        kill -TERM "$p" 2>/dev/null
    done
    for p in $started; do
        wait "$p" 2>/dev/null
    done
    started=
}

tidy() {
    end_started
    "$SHMLINK" clean >/dev/null 2>&1
    rm -rf "$work" "$board"
}
trap tidy EXIT
trap 'exit 130' INT TERM

shm() { # what shmlink is asked, with a limit for hangs
    timeout -k 2 1000 "$SHMLINK" "$@"
}

show_output() {
    sed 's/^/     | /' "$work/out" "$work/err" 2>/dev/null | tail -20
}

# gives CODE PATTERN TITLE shmlink-arguments: the exit code, and a pattern that
# a line of what it says must have, if any. A refusal is one line on stderr.
gives() {
    g_code=$1 g_pattern=$2 g_title=$3
    shift 3
    shm "$@" >"$work/out" 2>"$work/err" </dev/null
    g_status=$?
    g_why=
    [ "$g_status" -eq "$g_code" ] || g_why="exit code $g_status, not $g_code"
    [ -z "$g_pattern" ] || grep -qh -- "$g_pattern" "$work/out" "$work/err" ||
        g_why="${g_why:+$g_why, }it does not say '$g_pattern'"
    if [ "$g_code" -ge 2 ] && [ "$(wc -l <"$work/err")" -ne 1 ]; then
        g_why="${g_why:+$g_why, }not one line on stderr"
    fi
    verdict "$g_title" "$g_why"
}

verdict() { # title, what is wrong or nothing
    if [ -z "$2" ]; then
        pass "$1"
    else
        fail "$1: $2"
        show_output
    fi
}

holds() { # title, command ...
    h_title=$1
    shift
    if "$@" >"$work/held" 2>&1; then
        pass "$h_title"
    else
        fail "$h_title"
        sed 's/^/     | /' "$work/held" | tail -20
    fi
}

# A program in the background; its pid in $last (that of shmlink itself), what
# it prints in $work/NAME.
start() { # name, arguments
    s_name=$1
    shift
    "$SHMLINK" "$@" >"$work/$s_name" 2>&1 </dev/null &
    last=$!
    started="$started $last"
}

start_device() { # name, device --id ID, more options
    start "$@"
    shm wait "$4" --timeout 400 >/dev/null 2>&1 ||
        fail "device $4 did not start: $(cat "$work/$1")"
}

finish() { # pid, signal: leaves its exit code in $code
    kill "-$2" "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    code=$?
    started=$(for p in $started; do [ "$p" = "$1" ] || echo "$p"; done)
}

until_seen() { # pattern file: within 20 s
    u_tries=8000
    until grep -q -- "$1" "$2" 2>/dev/null; do
        u_tries=$((u_tries - 1))
        [ $u_tries -gt 0 ] || return 1
        sleep 0.1
    done
}

until_listed() { # id state
    u_tries=8000
    until shm list 2>/dev/null | grep "^$1 " | grep -q " $2 "; do
        u_tries=$((u_tries - 1))
        [ $u_tries -gt 0 ] || return 1
        sleep 0.1
    done
}

segment_of() { # id: the file of its segment
    shm list --json | tr -d '\n' | tr '{' '\n' | grep "\"id\": \"$1\"" |
        sed 's/.*"segment": "\([^"]*\)".*/\/dev\/shm\1/'
}

part() { # title: whether this part is wanted
    [ -n "$wanted" ] || return 0
    for w in $wanted; do
        case $1 in *"$w"*) return 0 ;; esac
    done
    return 1
}

wanted=$*
long48=$(printf 'n%.0s' $(seq 48))

# ---- the command line ---------------------------------------------------------

if part usage; then
    gives 0 'shmlink [0-9]*\.[0-9]*\.[0-9]*$' "--version" --version
    gives 0 'commands:' "--help" --help
    for command in list watch wait clean why device host monitor; do
        gives 0 "usage: shmlink $command" "$command --help" $command --help
        holds "$command --help tells the exit codes" \
            grep -q 'exit codes: 0' "$work/out"
        gives 2 "no option '--nonsense'" "$command refuses an unknown option" \
            $command --nonsense
    done
    shm >"$work/out" 2>"$work/err"
    verdict "no command at all gives usage and 2" "$([ $? -eq 2 ] || echo no)"
    gives 2 "no command 'dance'" "an unknown command" dance
    gives 2 '--id NAME is missing' "device without --id" device
    gives 2 '--id NAME is missing' "host without --id" host --wav x.wav
    gives 2 'ID is missing' "wait without an id" wait
    gives 2 'ID is missing' "why without an id" why
    gives 2 'one word too many' "list with a word" list MySynth
    gives 2 'one word too many' "why with two" why A B
    gives 2 '--id needs a value' "a value that is not there" device --id
    gives 2 '--id needs a value' "an option in place of a value" \
        device --id --quiet
    gives 2 'not empty' "an empty value" device --id ''
    gives 2 'given twice' "an option given twice" device --id A --id=B
    gives 2 'takes no value' "a value for a flag" list --json=yes
    gives 2 'from 1 to 4096, not .4097' "block size 4097" \
        device --id A --blocksize 4097
    for bad in 0 -1 64.5 x 1e3 '' ' 64' 64x 99999999999999999999; do
        gives 2 '--blocksize must be' "block size '$bad'" \
            device --id A --blocksize="$bad"
    done
    for bad in 7999 384001 nan inf -48000 x; do
        gives 2 '--samplerate must be a number from 8000 to 384000' \
            "sample rate $bad" device --id A --samplerate $bad
    done
    gives 2 '--channels must be' "0 channels" device --id A --channels 0
    gives 2 '--channels must be' "33 channels" device --id A --channels 33
    gives 2 '--inputs must be' "33 inputs" device --id A --inputs 33
    gives 2 '--latency must be' "negative latency" device --id A --latency -1
    gives 2 '--timeout must be' "timeout that is no number" \
        wait A --timeout soon
    gives 2 '--deadline must be' "deadline of 0" host --id A --deadline 0
    gives 2 'exclude each other' "--notes with --midi" \
        host --id A --notes a --midi b
fi

if part names; then
    for bad in a/b 'a\b' a,b 'a;b' 'a$b' a:b:1 lv2 null "$long48" \
        "$(printf 'a\tb')" "$(printf 'a\377b')"; do
        for command in "device --id" "host --id" why wait; do
            gives 2 . "$command refuses the name '$bad'" $command "$bad"
        done
    done
    gives 2 . "a device cannot be called *" device --id '*'
    gives 2 . "a tag of 64 bytes" device --id A --tag "$long48$long48"
    gives 2 . "a tag with a control character" \
        device --id A --tag "$(printf 'a\nb')"
    gives 2 --vendor "a vendor of 96 bytes" \
        device --id A --vendor "$long48$long48"
    for bad in a/b abcdefghijklm ../x; do
        SHMLINK_REGISTRY=$bad
        gives 2 . "a registry called '$bad'" list
        gives 2 . "a device on a registry called '$bad'" device --id A
        SHMLINK_REGISTRY=k$$
    done
fi

# ---- looking --------------------------------------------------------------------

if part looking; then
    gives 0 '^id  *pid' "an empty board is listed" list
    gives 0 '"count": 0, "devices": \[\]' "and as JSON" list --json
    gives 0 'cleared 0 dead devices' "nothing to clean" clean
    sh -c 'echo $$' >"$work/dead"
    orphan=/dev/shm/maolan-$(cat "$work/dead")-builtin-$(cat "$work/dead")-0
    kept=/dev/shm/maolan-$$-builtin-$$-0
    (umask 077 && : >"$orphan" && : >"$kept")
    gives 0 '' "clean after a host that died as its plugin started" clean
    holds "takes its segment" test ! -e "$orphan"
    holds "and none of a living host" test -e "$kept"
    rm -f "$orphan" "$kept"
    gives 1 'Nobody' "wait for nobody" wait Nobody --timeout 0.2
    gives 1 'Nobody' "why nobody" why Nobody
    gives 1 'Nobody' "no device to play" host --id Nobody --wait 0
    holds "a rendering without a device leaves no file" \
        sh -c "! '$SHMLINK' host --id Nobody --wait 0 --wav '$work/no.wav' &&
        [ ! -e '$work/no.wav' ]"

    start watch watch --interval 20
    watcher=$last
    start_device dev device --id 'My Synth' --samplerate=44100 --blocksize 128 \
        --channels 6 --inputs 3 --latency 7 --tag 'lead "ü\' --vendor 'a"b'
    device=$last
    gives 0 '' "wait for a device that is there" wait 'My Synth:0'
    gives 0 '' "wait for a name without a number" wait 'My Synth'
    gives 0 '' "wait for _ in place of a space" wait My_Synth:0
    gives 0 '' "wait for any" wait '*'
    gives 0 'is free' "why a free device" why 'My Synth:0'
    gives 0 "^My Synth:0 .*$device .*3 .*6 .*44100 .*128 .*both+audio+midi .*lockstep+pipe\
lined .*free .*0 .*lead \"ü" "list has every column" list
    shm list --json >"$work/list.json"
    if command -v python3 >/dev/null; then
        holds "list --json is JSON with every field as it was set" \
            python3 - "$work/list.json" "$device" <<'PYTHON'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["count"] == 1 and d["warnings"] == [] and d["errors"] == [], d
x = d["devices"][0]
want = {"id": "My Synth:0", "vendor": 'a"b', "category": "synth",
        "tag": 'lead "ü\\', "pid": int(sys.argv[2]), "in_channels": 3,
        "out_channels": 6, "rate_hz": 44100, "block_frames": 128,
        "quantum": 1, "latency_frames": 7, "param_count": 10,
        "tap_count": 8, "mode": "", "modes": ["both", "audio", "midi"], "drives": ["lockstep", "pipelined"],
        "state": "free", "claimed": False, "host_pid": 0}
for key, value in want.items():
    assert x[key] == value, (key, x[key], value)
assert "midi_in" in x["capabilities"] and x["version"] == d["version"]
assert x["segment"].startswith("/shl-")
PYTHON
    else
        skip "list --json: no python3 to read it"
    fi
    segment=$(segment_of 'My Synth:0')
    holds "its segment is there, for this user alone" \
        test "$(stat -c %a "$segment")" = 600

    start host host --id 'My Synth:0' --tag other --seconds 60
    host=$last
    holds "a host claims it" until_listed 'My Synth:0' busy
    gives 0 "busy .*$host .*other" "list shows the host and its tag" list
    gives 0 "\"claimed\": true, \"host_pid\": $host" "JSON, too" list --json
    gives 1 "$host" "why a busy device names the host" why 'My Synth:0'
    gives 1 "$host" "a second host is refused and told who has it" \
        host --id 'My Synth:0' --wait 0 --seconds 1
    gives 0 '' "a busy device is there for wait" wait 'My Synth:0'
    until_seen '^claimed' "$work/watch"
    finish "$host" INT
    verdict "the host ends with 0 by Ctrl-C" "$([ $code -eq 0 ] || echo $code)"
    holds "and releases its claim" until_listed 'My Synth:0' free
    holds "its tag stays" sh -c "'$SHMLINK' list | grep -q ' other$'"
    until_seen '^released' "$work/watch"

    finish "$device" TERM
    verdict "the device ends with 0 by SIGTERM" "$([ $code -eq 0 ] || echo $code)"
    holds "its segment is gone" test ! -e "$segment"
    gives 0 '"count": 0' "and its slot" list --json
    until_seen '^removed' "$work/watch"
    finish "$watcher" INT
    verdict "watch ends with 0" "$([ $code -eq 0 ] || echo $code)"
    holds "watch told what came, was claimed, released and went" sh -c "
        sed 's/ .*//' '$work/watch' | grep -v changed | tr '\n' ' ' |
        grep -qx 'added claimed released removed '"
    gives 0 '' "watch --for ends by itself" watch --for 0.1
fi

# ---- devices --------------------------------------------------------------------

if part devices; then
    gives 1 'device: --files: /proc' "a folder for files that cannot be" \
        device --id Files --files /proc/none/such
    start_device f device --id Files:0 --files "$work/new/folder" -q
    f=$last
    holds "a folder for files is made" test -d "$work/new/folder"
    finish "$f" TERM
    verdict "SIGTERM ends it with 0" "$([ $code -eq 0 ] || echo $code)"

    start_device a device --id MySynth --channels 1
    a=$last
    gives 1 'MySynth:0' "a name that is taken" device --id MySynth:0
    start_device b device --id MySynth -q
    b=$last
    holds "the same name without a number gets the next" \
        shm wait MySynth:1 --timeout 400
    shm host --id MySynth:1 --seconds 0.2 --wav "$work/b.wav" -q >"$work/q" 2>&1
    finish "$b" INT
    verdict "Ctrl-C ends a device with 0" "$([ $code -eq 0 ] || echo $code)"
    verdict "-q prints nothing, device" "$(cat "$work/b")"
    verdict "-q prints nothing, host" "$(cat "$work/q")"

    start host host --id MySynth:0 --tag lead --seconds 60 -q
    host=$last
    holds "the device says who has claimed it" until_seen \
        "MySynth:0: claimed by pid $host, tag lead" "$work/a"
    kill -KILL "$host"
    wait "$host" 2>/dev/null
    holds "and that it is free when the host was killed" \
        until_seen 'MySynth:0: released' "$work/a"

    segment=$(segment_of MySynth:0)
    kill -KILL "$a"
    wait "$a" 2>/dev/null
    gives 0 'cleared [1-9][0-9]* dead devices*$' "clean clears a killed device" clean
    holds "with its segment" test ! -e "$segment"
    gives 0 '"count": 0' "nothing is listed then" list --json

    start_device c device --id Again:0 --verbose
    c=$last
    segment=$(segment_of Again:0)
    kill -STOP "$c" # or it would be faster than the host
    truncate -s 100 "$segment"
    gives 1 "cut short" "a segment cut short is no device to play" \
        host --id Again:0 --wait 0 --wav "$work/cut.wav"
    kill -CONT "$c"
    holds "the device notices and announces itself anew" \
        until_seen 'announcing it anew' "$work/c"
    shm wait Again:0 --timeout 400
    gives 0 'missed' "and plays again" \
        host --id Again:0 --wav "$work/anew.wav" --seconds 0.2
    finish "$c" TERM

    start_device d device --id Over
    segment=$(segment_of Over:0)
    dd if=/dev/zero of="$segment" bs=4096 count=1 conv=notrunc 2>/dev/null
    gives 1 . "a segment that is overwritten is refused" \
        host --id Over:0 --wait 0 --wav "$work/over.wav"
    finish "$last" TERM
    verdict "its device still ends with 0" "$([ $code -eq 0 ] || echo $code)"
fi

if part board; then
    rm -f "$board"
    head -c 32768 /dev/zero >"$board"
    chmod 644 "$board"
    gives 3 "$(basename "$board")" "a board that others may read, list" list
    gives 3 "$(basename "$board")" "a board that others may read, device" \
        device --id A
    rm -f "$board"
    head -c 32768 /dev/urandom >"$board"
    chmod 600 "$board"
    gives 0 '"count": 0' "a board full of noise has no device" list --json
    start_device noise device --id Noise
    gives 0 '"count": 1' "and a device can still sit down on it" list --json
    finish "$last" TERM
    rm -f "$board"

    n=0
    while [ $n -lt 64 ]; do
        start "full$n" device --id Full -q
        n=$((n + 1))
    done
    holds "64 devices fit on the board" shm wait Full:63 --timeout 60
    tries=8000
    until [ "$(shm list | grep -c '^Full:.* free ')" -eq 64 ]; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || break
        sleep 0.1
    done
    gives 0 '"count": 64' "and are listed" list --json
    gives 1 '64' "the 65th is refused with the limit named" device --id One
    end_started
    gives 0 '"count": 0' "all 64 leave" list --json
fi

if part system; then
    if unshare -m true 2>/dev/null; then
        cat >"$work/small.sh" <<'SMALL'
mount -t tmpfs -o size=200k,mode=1777 tmpfs /dev/shm && exec "$@"
SMALL
        timeout 1000 unshare -m sh "$work/small.sh" "$SHMLINK" device --id A \
            >"$work/out" 2>"$work/err"
        code=$?
        verdict "full shared memory refuses a device with 3 and one sentence" \
            "$([ $code -eq 3 ] && [ "$(wc -l <"$work/err")" -eq 1 ] ||
                echo "exit code $code")"
        cat >"$work/none.sh" <<'NONE'
mount -t tmpfs -o ro tmpfs /dev/shm && exec "$@"
NONE
        timeout 1000 unshare -m sh "$work/none.sh" "$SHMLINK" list \
            >"$work/out" 2>"$work/err"
        code=$?
        verdict "shared memory that cannot be written to: 3, one sentence" \
            "$([ $code -eq 3 ] && [ "$(wc -l <"$work/err")" -eq 1 ] ||
                echo "exit code $code")"
    else
        skip "full and missing shared memory: no mount namespaces here"
    fi
    (
        ulimit -n 5
        exec timeout 1000 "$SHMLINK" device --id A
    ) >"$work/out" 2>"$work/err"
    code=$?
    verdict "no descriptors left: 3, one sentence" \
        "$([ $code -eq 3 ] && [ "$(wc -l <"$work/err")" -eq 1 ] ||
            echo "exit code $code")"
fi

# ---- playing ----------------------------------------------------------------------

# The samples of a float WAV of 2 channels, one frame a line.
frames_of() { # file frames
    f_size=$(stat -c %s "$1")
    od -An -v -t f4 -w8 -j $((f_size - $2 * 8)) "$1"
}

if part playing; then
    start_device synth device --id Play
    synth=$last
    afresh() { # parameters outlive a host: equal bytes need a new device
        finish "$synth" TERM
        start_device synth device --id Play
        synth=$last
    }
    cat >"$work/notes" <<'NOTES'
# two bars of everything
0 param gain -3
0 note 1 60 100 200
1.5 note 2 64.5 90 300
50 cc 1 74 30
100 bend 1 0.5
120 cc 1 64 127
180 note 1 67 127
300 note 1 67 0
400 cc 1 64 0
end 700
NOTES
    gives 0 'played   0.700 s, 3 notes, 11 events, 0 refused, 1 heard' \
        "a rendering" host --id Play --notes "$work/notes" --wav "$work/1.wav"
    holds "missed nothing and has no latency" sh -c "
        grep -q ' 0 missed' '$work/out' && grep -q 'latency  0 ' '$work/out'"
    afresh
    gives 0 '' "another" host --id Play:0 --notes "$work/notes" \
        --wav "$work/2.wav"
    holds "has the same bytes" cmp "$work/1.wav" "$work/2.wav"
    afresh
    gives 0 '' "in blocks of 100" host --id Play:0 --notes "$work/notes" \
        --wav "$work/3.wav" --blocksize 100
    holds "has the same bytes, too" cmp "$work/1.wav" "$work/3.wav"
    afresh
    gives 0 'latency  64 ' "pipelined" host --id Play --notes "$work/notes" \
        --wav "$work/4.wav" --pipelined
    frames_of "$work/1.wav" 33600 | head -n 33536 >"$work/lock"
    frames_of "$work/4.wav" 33600 | tail -n 33536 >"$work/pipe"
    holds "is the same sound one block later" cmp "$work/lock" "$work/pipe"
    holds "there is sound in it" awk '$1 > 0.02 { n++ } END { exit !(n > 1000) }' \
        "$work/lock"
    gives 0 '' "without notes the built-in phrase" host --id Play \
        --wav "$work/5.wav" --seconds 1

    # MThd, format 0, 480 ticks a quarter; note on, a quarter later note off
    printf 'MThd\0\0\0\6\0\0\0\1\1\340MTrk\0\0\0\15\0\220\74\144\203\140\200\74\0\0\377\57\0' \
        >"$work/one.mid"
    gives 0 'played   2.500 s, 1 notes, 2 events' "a MIDI file" \
        host --id Play --midi "$work/one.mid" --wav "$work/6.wav"
    gives 1 'MThd.*byte 0' "a MIDI file that is none" \
        host --id Play --midi "$work/notes" --wav "$work/7.wav"
    head -c 25 "$work/one.mid" >"$work/cut.mid"
    gives 1 'track 1, byte 2' "a MIDI file that is damaged" \
        host --id Play --midi "$work/cut.mid" --wav "$work/7.wav"
    gives 1 'line 1: ' "notes that are none" \
        host --id Play --notes "$work/one.mid" --wav "$work/7.wav"
    echo '0 note 1 200 100' >"$work/bad"
    gives 1 'line 1: the key must be' "note 200" \
        host --id Play --notes "$work/bad" --wav "$work/7.wav"
    echo '0 note 0 60 100' >"$work/bad"
    gives 1 'line 1: the channel must be' "channel 0" \
        host --id Play --notes "$work/bad" --wav "$work/7.wav"
    echo '0 param loudness 3' >"$work/bad"
    gives 1 "no parameter 'loudness'" "a parameter that does not exist" \
        host --id Play --notes "$work/bad" --wav "$work/7.wav"
    gives 3 'cannot read' "a file that is not there" \
        host --id Play --midi "$work/nothing" --wav "$work/7.wav"
    gives 3 'cannot read' "a folder in place of a file" \
        host --id Play --midi "$work" --wav "$work/7.wav"
    gives 3 'no such file or folder' "a WAV that cannot be written" \
        host --id Play --wav "$work/none/7.wav"
    if [ -e /dev/full ]; then
        gives 3 . "a full disk" host --id Play --wav /dev/full --seconds 20
    fi
    holds "none of these left a file" test ! -e "$work/7.wav"

    # a rest at the end: note off after 0.25 s, the end of the track after 5 s
    printf 'MThd\0\0\0\6\0\0\0\1\0\140MTrk\0\0\0\15\0\220\74\144\60\200\74\0\207\20\377\57\0' \
        >"$work/rest.mid"
    gives 0 'played   5.000 s' "a rest at the end of a MIDI file" \
        host --id Play --midi "$work/rest.mid" --wav "$work/6.wav"

    # 10000 events at one tick: more than a link takes at once
    if command -v python3 >/dev/null; then
        python3 - "$work/many.mid" <<'PYTHON'
import struct, sys
body = bytes([0, 0xB0, 7, 100]) * 10000
open(sys.argv[1], "wb").write(
    b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" +
    struct.pack(">I", len(body)) + body)
PYTHON
        for how in lockstep pipelined; do
            gives 0 '10000 events, 0 refused' \
                "10000 events at one tick, $how" host --id Play \
                --midi "$work/many.mid" --wav "$work/6.wav" --drive $how
            holds "are spread, and this is said" \
                grep -q '^spread   [1-9][0-9]* events' "$work/out"
        done
        python3 - "$work/sysex.mid" <<'PYTHON'
import struct, sys
body = bytes([0, 0xF0, 5, 126, 127, 9, 1, 0xF7])
open(sys.argv[1], "wb").write(
    b"MThd" + struct.pack(">IHHH", 6, 0, 2, 96) + b"MTrk" +
    struct.pack(">I", len(body)) + body)
PYTHON
        gives 0 '0 events, 0 refused' "SysEx to a device that takes none" \
            host --id Play --midi "$work/sysex.mid" --wav "$work/6.wav"
        holds "is counted" grep -q '^unheard  1 parts' "$work/out"
        holds "and a header that counts wrong is told" \
            grep -q 'tells of 2 tracks, and it has 1' "$work/out"
        start_device sysex device --id Sysex --sysex
        gives 0 ' 1 events, 0 refused' "SysEx to a device that takes it" \
            host --id Sysex --midi "$work/sysex.mid" --wav "$work/6.wav"
    else
        skip "MIDI files of many events: no python3 to write them"
    fi

    # what was there before stays
    gives 2 '.mp7 is no format' "an ending that is no format" \
        host --id Play --wav "$work/7.mp7"
    for ending in flac aiff w64 caf; do
        gives 0 "file     $work/8.$ending" "a recording as $ending" \
            host --id Play --wav "$work/8.$ending" --seconds 0.1
    done
    holds "is of that format" sh -c "head -c 4 '$work/8.flac' | grep -q fLaC &&
        head -c 4 '$work/8.aiff' | grep -q FORM"
    echo precious >"$work/9.wav"
    gives 1 'Nobody' "a device that is not there" \
        host --id Nobody --wait 0 --wav "$work/9.wav"
    (
        ulimit -f 100 # which no core file may count against
        ulimit -c 0
        exec timeout 1000 "$SHMLINK" host --id Play --wav "$work/9.wav" \
            --seconds 20
    ) >"$work/out" 2>"$work/err"
    code=$?
    verdict "a limit of file sizes: 3, one sentence" \
        "$([ $code -eq 3 ] && grep -q 'disk is full' "$work/err" ||
            echo "exit code $code")"
    start ended host --id Play --wav "$work/9.wav" --seconds 86400
    ended=$last
    until_listed Play:0 busy
    finish "$ended" INT
    verdict "a rendering that Ctrl-C ends is none" \
        "$([ $code -eq 1 ] || echo "exit code $code")"
    holds "it says so" grep -q 'is as it was before' "$work/ended"
    holds "and the file that was there has outlived all of these" \
        grep -qx precious "$work/9.wav"
    gives 0 '' "into nothing" host --id Play --wav /dev/null --seconds 0.1
    holds "which stays what it is" test -c /dev/null
    holds "no draft is left" sh -c "! ls -A '$work' | grep part"

    gives 0 'Play:0: linked' "live" host --id Play --seconds 0.3
    gives 0 'played   0.300 s' "for as long as asked" \
        host --id Play --seconds 0.3

    start live host --id Play --seconds 60
    live=$last
    until_seen 'Play:0: linked' "$work/live"
    finish "$synth" KILL
    holds "a live host says that its device has left" \
        until_seen 'Play:0: has left' "$work/live"
    start_device synth2 device --id Play:0
    synth=$last
    holds "and plays on when it returns" sh -c "
        tries=8000
        until [ \$(grep -c 'Play:0: linked' '$work/live') -ge 2 ]; do
            tries=\$((tries - 1)); [ \$tries -gt 0 ] || exit 1; sleep 0.1
        done"
    finish "$synth" TERM
    holds "and says of one that was closed that it was" \
        until_seen 'Play:0: has left (closed)' "$work/live"
    start_device synth3 device --id Play:0
    synth=$last
    finish "$live" TERM
    verdict "it ends with 0" "$([ $code -eq 0 ] || echo $code)"

    start long host --id Play --wav "$work/long.wav" --seconds 3600
    long=$last
    until_listed Play:0 busy
    finish "$synth" KILL
    wait "$long"
    code=$?
    verdict "a rendering whose device dies ends with 1" \
        "$([ $code -eq 1 ] || echo "exit code $code: $(cat "$work/long")")"
    holds "and leaves no file" test ! -e "$work/long.wav"
    end_started
fi

if part rates; then
    start_device any device --id Rate
    for rate in 44100 96000 48000; do
        gives 0 "$rate Hz, lockstep" "a device without a rate plays at $rate Hz" \
            host --id Rate --samplerate $rate --wav "$work/$rate.wav" \
            --seconds 0.5
        start_device set device --id Set --samplerate $rate
        gives 0 '' "and one that has it, too" host --id Set \
            --wav "$work/set.wav" --seconds 0.5
        holds "and sounds the same" cmp "$work/$rate.wav" "$work/set.wav"
        finish "$last" TERM
    done
    start_device set device --id Set --samplerate 44100
    gives 1 '44100 Hz and this host at 48000 Hz' "a rate that was set stays" \
        host --id Set --samplerate 48000 --wait 0 --wav "$work/set.wav"
    start_device own device --id Own --drive free
    gives 1 '48000 Hz and this host at 44100 Hz' \
        "and a device with its own clock has its own" \
        host --id Own --samplerate 44100 --wait 0 --seconds 0.1
    end_started
fi

if part samples; then
    start_device click device --id Click --click --echo
    : >"$work/notes"
    i=0
    while [ $i -lt 64 ]; do # one note at each offset of a block
        awk -v i=$i 'BEGIN { printf "%.4f note 1 60 %d\n",
            (i * 65 + 3) / 48.0, i + 64 }' >>"$work/notes"
        i=$((i + 1))
    done
    echo 'end 100' >>"$work/notes"
    gives 0 '64 notes, 64 events, 0 refused, 64 heard' \
        "64 notes at 64 offsets, each sent back" \
        host --id Click --notes "$work/notes" --wav "$work/click.wav"
    frames_of "$work/click.wav" 4800 >"$work/frames"
    holds "each is heard at exactly its sample" awk '
        function off(x, y) { return x > y + 1e-6 || x < y - 1e-6 }
        {
            at = NR - 1 - 3
            want = 0
            if (at >= 0 && at % 65 == 0 && at / 65 < 64)
                want = (at / 65 + 64) / 127
            if (off($1, want) || off($2, want)) { print NR, $0, want; bad = 1 }
        }
        END { exit bad || NR != 4800 }' "$work/frames"
    end_started
    start_device late device --id Late --click --latency 100
    gives 0 'latency  100 frames' "a device with latency says so" \
        host --id Late --notes "$work/notes" --wav "$work/late.wav"
    frames_of "$work/late.wav" 4800 | tail -n 4700 >"$work/shifted"
    head -n 4700 "$work/frames" >"$work/expected"
    holds "and is late by just that" cmp "$work/expected" "$work/shifted"
    end_started
fi

if part free; then
    gives 2 'no drive wild' "a drive that there is not" \
        host --id Own --drive wild
    gives 2 'exclude each other' "two drives at once" \
        host --id Own --pipelined --drive free
    start_device own device --id Own --drive free --blocksize 256
    gives 0 'latency  1024 frames' "a device that keeps its own time is played" \
        host --id Own --seconds 0.5
    gives 1 'does not offer the lockstep drive' "it is not waited for" \
        host --id Own --seconds 0.5 --drive lockstep
    gives 1 'play live' "a rendering cannot follow it" \
        host --id Own --seconds 0.5 --wav "$work/own.wav"
    gives 1 'Own:0 runs at 48000 Hz and this host at 44100 Hz.*resample' \
        "another rate is refused with both" \
        host --id Own --seconds 0.5 --samplerate 44100
    if pkg-config --exists samplerate 2>/dev/null; then
        gives 0 'clocks   convert' "or resampled" \
            host --id Own --seconds 0.5 --samplerate 44100 --resample
    else
        gives 1 'built without a resampler' "and there is no resampler" \
            host --id Own --seconds 0.5 --samplerate 44100 --resample
    fi
    end_started
    start_device any device --id Any --drive lockstep,free
    gives 0 'Hz, lockstep' "a device of two kinds is waited for by itself" \
        host --id Any --seconds 0.3
    gives 0 'Hz, free' "and keeps its own time when asked" \
        host --id Any --seconds 0.3 --drive free
    gives 0 'Hz, lockstep' "by turns" host --id Any --seconds 0.3
    end_started
fi

if part "modes and taps"; then
    start_device mode device --id Mode
    segment=$(segment_of Mode:0)
    blocks=$(stat -c %b "$segment")
    gives 0 'lockstep, midi' "a host in mode midi plays" \
        host --id Mode --mode midi --seconds 0.3
    # shows DL-34
    holds "and no memory for audio was taken" \
        test "$(stat -c %b "$segment")" -eq "$blocks"
    gives 0 'lockstep, audio' "a host in mode audio plays" \
        host --id Mode --mode audio --seconds 0.3
    holds "and now there is memory for audio" \
        test "$(stat -c %b "$segment")" -gt "$blocks"
    gives 0 ' [1-9][0-9]* refused' "its notes are refused and counted" \
        host --id Mode --mode audio --seconds 0.3
    gives 2 'no transport mode loud' "a mode that there is not" \
        host --id Mode --mode loud
    gives 2 'exclude each other' "nothing to write in mode midi" \
        host --id Mode --mode midi --wav "$work/none.wav"
    gives 2 'no transport mode loud' "nor can it be on offer" \
        device --id Other --modes both,loud
    # shows DL-33
    gives 0 ' 3 channels' "a tap is heard behind the outputs" \
        host --id Mode --tap osc1 --wav "$work/tap1.wav" --seconds 0.5
    gives 0 ' 4 channels' "one of two channels, too" \
        host --id Mode --tap bus1 --wav "$work/bus.wav" --seconds 0.5
    gives 0 '' "once more" \
        host --id Mode --tap osc1 --wav "$work/tap2.wav" --seconds 0.5
    holds "and sounds the same each time" \
        cmp "$work/tap1.wav" "$work/tap2.wav"
    gives 1 'it has: osc1, osc2, filter, lfo, env, gate, bus1' \
        "a tap that there is not" host --id Mode --tap nope --seconds 0.5
    end_started
    start_device both device --id Both --modes both
    gives 1 'does not offer the transport mode midi' \
        "a mode that is not on offer" \
        host --id Both --mode midi --seconds 0.3 --wait 0
    end_started
fi

end_started
holds "nothing of this is left on the board" \
    sh -c "'$SHMLINK' list --json | grep -q '\"count\": 0'"
tally_end
