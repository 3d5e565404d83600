#!/bin/sh
# SPDX-License-Identifier: MIT
# What a file keeps of boxes: words in the box win; a number and a tag go into the
# file of a patch that is opened by itself, and into no other; copies of one number
# take the next free one and say so.
# shows DL-21 DL-22 DL-26
. "$here/pd/pd.sh"

# The file of an abstraction, as it is and as older versions have left it.
abstraction() { # name, words of its box, lines after it
    {
        echo '#N canvas 0 0 450 300 12;'
        echo '#X obj 20 40 osc~ 220;'
        echo "#X obj 20 80 shmlink~ $2;"
        [ -z "$3" ] || echo "$3"
        echo '#X obj 20 120 print \$1;'
        echo '#X obj 20 160 namecanvas \$1-cv;'
        echo '#X connect 0 0 1 0;'
        echo '#X connect 1 0 2 0;'
    } >"$work/$1.pd"
}

# patch FILE TARGET BOX...: boxes, and then `savetofile` for the target.
patch() {
    p_file=$1 p_target=$2
    shift 2
    {
        echo '#N canvas 0 0 450 300 12;'
        echo '#X obj 200 20 loadbang;'
        echo '#X msg 200 50 \; pd dsp 1;'
        echo '#X obj 300 20 del 300;'
        echo "#X msg 300 50 \\; $p_target savetofile out.pd $work;"
        echo '#X obj 300 80 del 300;'
        echo '#X msg 300 110 \; pd quit;'
        for p_box in "$@"; do
            echo "$p_box"
        done
        echo '#X connect 0 0 1 0;'
        echo '#X connect 0 0 2 0;'
        echo '#X connect 2 0 3 0;'
        echo '#X connect 2 0 4 0;'
        echo '#X connect 4 0 5 0;'
    } >"$work/$p_file.pd"
}

# In batch: nothing here waits for the clock on the wall.
play() { # patch words...
    p_patch=$1
    shift
    rm -f "$work/out.pd"
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -path "$work" "$@" \
        -open "$work/$p_patch.pd" </dev/null >"$work/log" 2>&1
}
opened() { # who
    sed -n "s/^$1: open //p" "$work/log"
}

# ---- abstractions -----------------------------------------------------------

abstraction voice "-device Voice 1 0"
patch three 2-cv '#X obj 20 20 voice 1;' '#X obj 20 50 voice 2;' \
    '#X obj 20 80 voice 3;'
play three
same "an instance saves nothing of it" "$(grep -c '#A' "$work/out.pd")" 0
abstraction voice "-device Voice 1 0" '#A open Voice:1;'
play three
same "its file gives no number to instances" \
    "$(opened 1) $(opened 2) $(opened 3)" "1 Voice:0 1 Voice:1 1 Voice:2"
abstraction named '-device \$1 1 0 -tag t\$1' '#A tag tLead;
#A open Lead:0;'
patch names Pad-cv '#X obj 20 20 named Bass;' '#X obj 20 50 named Pad;'
play names
same "creation arguments win" "$(opened Bass) $(opened Pad)" "1 Bass:0 1 Pad:0"
same "and are not saved" "$(grep -c '#A' "$work/out.pd")" 0
patch clones 1-cv '#X obj 20 20 clone voice 3;'
abstraction voice "-device Voice 1 0"
play clones
same "a clone saves nothing" "$(grep -c '#A' "$work/out.pd")" 0
same "all clones are there" "$(opened 0) $(opened 1) $(opened 2)" \
    "1 Voice:0 1 Voice:1 1 Voice:2"

{ # the box in a subpatch of it
    echo '#N canvas 0 0 450 300 12;'
    echo '#N canvas 0 0 450 300 inner 0;'
    echo '#X obj 20 80 shmlink~ -device Voice 1 0;'
    echo '#X obj 20 120 print \$1;'
    echo '#X connect 0 0 1 0;'
    echo '#X restore 20 60 pd inner;'
    echo '#X obj 20 160 namecanvas \$1-cv;'
} >"$work/inner.pd"
patch inners 2-cv '#X obj 20 20 inner 1;' '#X obj 20 50 inner 2;'
play inners
same "nor does a subpatch of one" \
    "$(grep -c 'obj.*-device' "$work/out.pd") $(grep -c '#A' "$work/out.pd")" "1 0"
start "$SHMLINK" device -q --id Synth --samplerate 48000
ready Synth:0
{ # a host, told what to open
    echo '#N canvas 0 0 450 300 12;'
    echo '#X obj 20 80 shmlink~ 0 1;'
    echo '#X obj 20 120 print \$1;'
    echo '#X obj 20 160 namecanvas \$1-cv;'
    echo '#X obj 20 20 r to-\$1;'
    echo '#X connect 0 1 1 0;'
    echo '#X connect 3 0 0 0;'
} >"$work/player.pd"
patch players 1-cv '#X obj 20 20 player 1;' \
    '#X msg 400 50 \; to-1 tag lead \; to-1 open Synth:0;' '#X connect 0 0 7 0;'
play players
same "a host in one links" "$(opened 1)" "1 Synth:0"
same "and saves nothing" "$(grep -c '#A' "$work/out.pd")" 0

# ---- patches that are opened by themselves ----------------------------------------

main() { # words of the box [its last outlet]
    patch main pd-main.pd "#X obj 20 20 shmlink~ $1;" '#X obj 20 50 print main;' \
        "#X connect 6 ${2:-0} 7 0;"
}
saved() { # the lines of the file
    sed -n 's/^#A //p' "$work/out.pd" | tr '\n' ' '
}
main "-device Voice 1 0"
play main
same "the number of the board is saved" "$(saved)" "open Voice:0; "
mv "$work/out.pd" "$work/main.pd"
cp "$work/main.pd" "$work/other.pd"
play main -open "$work/other.pd"
same "a patch opened twice" "$(opened main | sort | tr '\n' ' ')" \
    "1 Voice:0 1 Voice:1 "
same "the copy says so" "$(grep -c 'Voice:0.*is taken.*Voice:1' "$work/log")" 1
main "-device Voice:3 1 0 -tag mine"
play main
same "what the box says is not saved" "$(opened main) $(saved)" "1 Voice:3 "
sed -i 's/^\(#X obj .* -tag mine;\)/\1\n#A tag other;\n#A open Voice:5;/' \
    "$work/main.pd"
play main
same "and wins over what is" "$(opened main) $(saved)" "1 Voice:3 "

# a host: what the box names is not saved either
main "Synth:0 0 1 -tag lead" 1
sed -i 's/^\(#X obj .* -tag lead;\)/\1\n#A tag other;\n#A open Nobody:5;/' \
    "$work/main.pd"
play main
same "a host, too" "$(opened main) $(saved)" "1 Synth:0 "

# ---- duplicated boxes: Pd pastes a box with its lines ---------------------------------

{
    echo '#N canvas 0 0 450 300 12;'
    for n in 0 1 2; do
        echo '#X obj 20 80 shmlink~ -device Copy 1 0;'
        echo '#A open Copy:1;'
        echo '#X obj 20 120 print copy;'
    done
    echo '#X obj 200 20 loadbang;'
    echo '#X obj 200 120 del 500;'
    echo '#X msg 200 150 \; pd quit;'
    echo '#X connect 0 0 1 0;'
    echo '#X connect 2 0 3 0;'
    echo '#X connect 4 0 5 0;'
    echo '#X connect 6 0 7 0;'
    echo '#X connect 7 0 8 0;'
} >"$work/copies.pd"
play copies
same "copies take the next number" \
    "$(opened copy | sort | tr '\n' ' ')" "1 Copy:0 1 Copy:1 1 Copy:2 "
same "and say so" "$(grep -c 'Copy:1.*is taken' "$work/log")" 2

# ---- what a person types ------------------------------------------------------------------

start "$SHMLINK" device -q --id Bass:0 --samplerate 48000
start "$SHMLINK" device -q --id Bass:1 --samplerate 48000 --tag lead
ready Bass:0
ready Bass:1
ask_patch "$work/ask.pd" "shmlink~ 0 1" "tag lead" "open Bass:0" "open Bass:1" \
    "open Bass:0"
play ask
same "an id that is typed wins over an old tag" \
    "$(sed -n 's/^reply: link \(Bass:.\).*/\1/p' "$work/log" | tr '\n' ' ')" \
    "Bass:0 Bass:1 Bass:0 "
start "$SHMLINK" device -q --id Bass:2 --samplerate 48000 --tag solo
ready Bass:2
outlet=1 ask_patch "$work/ask.pd" "shmlink~ Bass:0 0 1 -tag solo" "open Bass:0"
play ask
same "also where the tag has led elsewhere" \
    "$(sed -n 's/^reply: link \(Bass:.\).*/\1/p' "$work/log" | tr '\n' ' ')" \
    "Bass:2 Bass:0 "

# ---- tags from $0 ----------------------------------------------------------------------------

abstraction tagged '-device Tagged 1 0 -tag \$2'
{
    echo '#N canvas 0 0 450 300 12;'
    echo '#X obj 20 20 tagged 1 x-\$0;'
    echo '#X obj 200 20 loadbang;'
    echo '#X obj 200 50 del 100;'
    echo '#X msg 200 80 \; pd quit;'
    echo '#X obj 20 80 shmlink~ -device Told 1 0;'
    echo '#X obj 20 120 print told;'
    echo '#X obj 320 50 f \$0;'
    echo '#X msg 320 80 tag t-\$1;'
    echo '#X connect 1 0 2 0;'
    echo '#X connect 2 0 3 0;'
    echo '#X connect 1 0 6 0;'
    echo '#X connect 6 0 7 0;'
    echo '#X connect 7 0 4 0;'
    echo '#X connect 4 0 5 0;'
} >"$work/zeros.pd"
play zeros
same "a tag from \$0 of the patch around is refused" \
    "$(grep -c '^error.*-tag: the tag x-[0-9]* is made from \$0' "$work/log")" 1
same "so is one by message" \
    "$(tr -d '\\\\' <"$work/log" | grep -c '^told: error tag bad_name.*made from')" 1
[ "$bad" = 0 ] || cat "$work/log"
exit "$bad"
