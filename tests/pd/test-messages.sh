#!/bin/sh
# SPDX-License-Identifier: MIT
# Each example of docs/messages.tsv, sent to a box with a device: the answers are
# those of its row, and whatever comes from the outlet is a row, with its atoms. Then
# each message with words that it does not take: the error has them, and what to type.
. "$here/pd/pd.sh"

SHMLINK_HOME=$work/home
export SHMLINK_HOME
table=$root/docs/messages.tsv
mkdir "$work/files"
echo "some text" >"$work/file"
# The paths of the examples lie in the test's own folder.
sed "s|/tmp/|$work/|g" "$table" |
    awk -v file="$work/file" 'BEGIN { FS = OFS = "\t" }
        $2 == "message" && $3 == "file_send" { $7 = "file_send " file }
        { print }' >"$work/table"

make_patch() { awk "$@" -f "$here/pd/messages.awk" "$work/table" >"$work/patch.pd"; }
compare() { # name, least count of examples, box
    awk -v box="$3" -v name="$1" -v least="$2" -v wrong_words="$wrong" -f "$here/pd/messages-compare.awk" \
        "$work/table" "$work/log" || bad=1
}
try() { # least count of examples, box, words for messages.awk
    t_least=$1 t_box=$2
    shift 2
    make_patch -v box="$t_box" -v wrong="$wrong" "$@"
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/patch.pd" </dev/null >"$work/log" 2>&1
    compare "$t_box" "$t_least" "$t_box"
}

# Boxes with each flag of the table, as in its example but without a device, and with
# a word that it does not take.
boxes() { # wrong word, or ""
    echo '#N canvas 0 0 450 300 12;'
    awk -F '\t' -v wrong="$1" '
        $2 == "flag" && $1 == "host" && (!wrong || ($4 != "" && $3 !~ /^-(tag|host)$/)) {
            words = wrong ? $3 " " wrong : $7
            sub(/^[^- ]* /, "", words)
            print "#X obj 10 10 shmlink~ " words ";"
        }' "$table"
    echo '#X obj 10 10 loadbang; #X obj 10 10 delay 50; #X msg 10 10 \; pd quit;' |
        sed 's/; #X/;\n#X/g'
}
try_boxes() { # wrong word
    boxes "$1" >"$work/patch.pd"
    n=$(grep -c shmlink~ "$work/patch.pd")
    echo "#X connect $n 0 $((n + 1)) 0;" >>"$work/patch.pd"
    echo "#X connect $((n + 1)) 0 $((n + 2)) 0;" >>"$work/patch.pd"
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -stderr \
        -path "$root" -open "$work/patch.pd" </dev/null 2>&1 | grep '^error' \
        >"$work/log"
}
try_boxes ""
same "each flag is known" "$n $(cat "$work/log")" "22 "
try_boxes what
same "each flag says what it takes, what came, what to type" \
    "$n $(grep -c ': takes .*, not what: type -' "$work/log")" "8 8"

start "$SHMLINK" device -q --id MySynth --samplerate 48000 --channels 2 --sysex \
    --tag lead --files "$work/files"
ready MySynth:0
wrong=
try 60 host -v text='shmlink~ MySynth:0 0 4' -v outlet=4
try 8 shmreg -v text=shmreg -v outlet=0
wrong=1
try 64 host -v text='shmlink~ MySynth:0 0 4' -v outlet=4
try 7 shmreg -v text=shmreg -v outlet=0
try 27 device -v text='shmlink~ -device Wrong 2 0' -v outlet=0
wrong=

# With a device and its host in one Pd, in real time: some of it comes by another
# thread, when it comes.
try_live() { # name, least count of examples, box, last line but one, awk's words
    t_name=$1 t_least=$2 t_box=$3 t_line=$4
    shift 4
    make_patch -v box="$t_box" -v stays=1 "$@"
    start_live "$work/patch.pd" "$work/log"
    until_line "$work/log" "$t_line" || bad=1
    until_line "$work/log" "mark: end" || bad=1
    kill "$last"
    wait "$last" 2>/dev/null
    compare "$t_name" "$t_least" "$t_box"
}
try_live device 35 device "reply: transport " -v outlet=0 \
    -v text='shmlink~ -device MyPatch 2 0' \
    -v peer='shmlink~ MyPatch:0 0 2 -latency 64'
try_live "events of a host" 5 host "reply: log " -v outlet=2 -v events=1 \
    -v text='shmlink~ MyPatch:0 0 2 -latency 64' \
    -v peer='shmlink~ -device MyPatch 2 0' \
    -v first='param_add cutoff 20 20000 440 Hz, program_add first'
exit "$bad"
