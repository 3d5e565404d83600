#!/bin/sh
# SPDX-License-Identifier: MIT
# CLAP plugins from Pd: opened by path, id and name, asked, heard, saved, refused; with
# faults of every kind Pd plays on. With zam-plugins installed: those, too.
. "$here/pd/pd.sh"

fixture=$root/build/tests/fixture.clap
[ -e "$fixture" ] || { echo "make programs builds what this needs"; exit 77; }
bad=

ask() { # log, box, messages ...
    a_log=$1
    shift
    ask_patch "$work/ask.pd" "$@"
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/ask.pd" </dev/null >"$a_log" 2>&1
}

# ---- asked -------------------------------------------------------------------------

ask "$work/log" "shmlink~ clap:$fixture 3 2" port_counts param_list note_names \
    "param_set Gain 0.25" "param_get Gain" "program_write $work/x.state"
matches "a CLAP instrument" "$work/log" <<END
open 1 clap:$fixture
port_counts 3 2 1 1
param_info 0 Gain  1 0 1 0.5 0 1 Voice
param_info 1 Wave  1 0 1 0 2 5 Voice
param_info 2 Latency  1 0 511 0 0 1 Rest
param_info 3 Meter  0 0 1 0 0 2 Rest
param_list 4
note_name 1 36 Kick
note_name 1 38 Snare
note_names 2
param_state 0 0.25 0.25
program_write 1
END

# Its state, in a fresh process.
ask "$work/log" "shmlink~ clap:$fixture 3 2" "program_read $work/x.state" \
    "param_get Gain" "program_read $root/README.md"
matches "its state comes back, a foreign one is refused" "$work/log" <<END
open 1 clap:$fixture
program_read 1
param_state 0 0.25 0.25
program_read 0
error program_read bad_value these bytes are no state
END

CLAP_PATH=$root/build/tests
export CLAP_PATH
for spec in org.shmlink.second "$fixture::org.shmlink.second" Second_Fixture; do
    ask "$work/log" "shmlink~ clap:$spec 2 2" info
    if grep -q "open 1 clap:$spec" "$work/log" &&
        grep -q "Second" "$work/log"; then
        echo "ok ${spec##*/} is found"
    else
        echo "FAIL clap:$spec:"
        cat "$work/log"
        bad=1
    fi
done

refused() { # spec, words that must come
    ask "$work/log" "shmlink~ $1 2 2" close
    if grep -q "open 0" "$work/log" && grep -q "$2" "$work/log"; then
        echo "ok $1 is refused: $2"
    else
        echo "FAIL $1, wanted $2 in:"
        cat "$work/log" "$work/shmplug-says"
        bad=1
    fi
}
refused clap:/nowhere/x.clap 'no such plugin\|exit code 5'
refused "clap:$fixture::nobody" 'no such plugin\|exit code 5'
refused clap:/etc/passwd 'exit code 6'

# ---- heard -------------------------------------------------------------------------

# The level of the first outlet in dB after a second, its box and a message sent to it.
level() { # box message
    cat >"$work/level.pd" <<END
#N canvas 0 0 450 300 12;
#X obj 20 20 loadbang;
#X msg 20 50 \; pd dsp 1;
#X obj 150 50 delay 100;
#X msg 150 80 $2;
#X obj 20 120 osc~ 440;
#X obj 20 150 $1;
#X obj 20 200 env~ 4096;
#X obj 20 230 f;
#X obj 20 260 print level;
#X obj 250 50 delay 1000;
#X obj 250 80 t b b;
#X msg 250 110 \; pd quit;
#X connect 0 0 1 0;
#X connect 0 0 2 0;
#X connect 0 0 9 0;
#X connect 2 0 3 0;
#X connect 3 0 5 0;
#X connect 4 0 5 0;
#X connect 5 0 6 0;
#X connect 6 0 7 1;
#X connect 7 0 8 0;
#X connect 9 0 10 0;
#X connect 10 1 7 0;
#X connect 10 0 11 0;
END
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/level.pd" </dev/null \
        >"$work/level.log" 2>&1
    sed -n 's/^level: //p' "$work/level.log"
}

is_between() { # what low high value
    if echo "${4:-none}" | awk '{ exit !($1 >= '"$2"' && $1 <= '"$3"') }'; then
        echo "ok $1"
    else
        echo "FAIL $1: a level of ${4:-nothing}, wanted $2 to $3:"
        cat "$work/level.log" "$work/shmplug-says" 2>/dev/null
        bad=1
    fi
}

# A sine of 1 has 97 dB here; the fixture adds a note of 0.5 to its input.
is_between "an effect passes its input" 96 98 \
    "$(level "shmlink~ clap:$fixture 3 2" "bang")"
is_between "a note sounds on top of it" 97.5 101 \
    "$(level "shmlink~ clap:$fixture 3 2" "midi_note 1 69 127")"

# ---- faults ------------------------------------------------------------------------

for fault in load:crash load:exit init:abort activate:exit process:crash \
    process:abort process:exit unload:crash; do
    FIXTURE=$fault level "shmlink~ clap:$fixture 3 2" "midi_note 1 69 127" >/dev/null
    if grep -q '^level: ' "$work/level.log"; then
        echo "ok Pd plays on: $fault"
    else
        echo "FAIL Pd with $fault:"
        cat "$work/level.log"
        bad=1
    fi
done

# ---- what is packaged ----------------------------------------------------------------

found=0
for file in /usr/lib/clap/Zam*.clap; do
    name=$(basename "$file" .clap)
    [ -e "$file" ] || continue
    # a gate is shut for what it takes for noise, and these have no first channel
    case $name in ZamGrains | ZamVerb | ZamHeadX2) low=40 ;; *) low=70 ;; esac
    found=$((found + 1))
    is_between "$name sounds" $low 130 "$(level "shmlink~ clap:$name 3 2" "bang")"
done
[ "$found" -gt 0 ] || echo "no zam-plugins here: not tried"
[ -z "$bad" ]
