#!/bin/sh
# SPDX-License-Identifier: MIT
# Each message of each object with too many words, too few, words of the wrong kind,
# numbers out of range, broken and not finite: the console says what is wrong, by
# the name of the message, and what was meant. Nothing is swallowed.
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id A:0
ready A:0

# said NAME BOX OUTLET: standard input has lines `MESSAGE | WORDS`; each message
# leads to a line of the console with those words, or, for `-`, to none.
said() {
    outlet=$3
    sed 's/ *|.*//' "$work/table" >"$work/messages"
    {
        echo '#N canvas 0 0 450 300 12;'
        echo "#X obj 20 60 $2;"
        echo '#X obj 20 20 loadbang;'
        echo '#X obj 20 30 delay 200;'
        echo '#X obj 20 40 bang;'
        echo '#X connect 1 0 2 0;'
        s_at=4 s_before=2
        while read -r s_message; do
            s_n=$((${s_n:-0} + 1))
            echo "#X obj 20 $((60 + 20 * s_at)) delay 2100;"
            echo "#X msg 90 $((60 + 20 * s_at)) \\; said-mark line $s_n;"
            echo "#X msg 200 $((60 + 20 * s_at)) $s_message;"
            echo "#X connect $s_before 0 $s_at 0;"
            echo "#X connect $s_at 0 $((s_at + 2)) 0;"
            echo "#X connect $s_at 0 $((s_at + 1)) 0;"
            echo "#X connect $((s_at + 2)) 0 0 0;"
            s_before=$s_at s_at=$((s_at + 3))
        done <"$work/messages"
        s_n=
        echo '#X obj 300 20 r said-mark;'
        echo '#X obj 300 40 print mark;'
        echo "#X connect $s_at 0 $((s_at + 1)) 0;"
        echo "#X obj 20 40 delay 2100;"
        echo '#X msg 20 50 \; pd quit;'
        echo "#X connect $s_before 0 $((s_at + 2)) 0;"
        echo "#X connect $((s_at + 2)) 0 $((s_at + 3)) 0;"
    } >"$work/said.pd"
    timeout -k 2 300 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/said.pd" </dev/null >"$work/log" 2>&1
    awk -F ' *[|] *' -v name="$1" '
        NR == FNR { message[FNR] = $1; want[FNR] = $2; n = FNR; next }
        /^mark: line / { split($0, part, " "); now = part[3] + 1; next }
        { if (now == 0) now = 1
          if (/^error:|^verbose\(2\)|^shm(reg|link~)[^0-9:]*: /) got[now] = got[now] $0 "\n" }
        END { for (i = 1; i <= n; i++) {
                  lost = want[i] == "-" ? got[i] != "" : !index(got[i], want[i])
                  if (lost) { bad++
                      print "FAIL " name ": " message[i] ": wanted " want[i] \
                            ", got " (got[i] == "" ? "nothing" : got[i]) }
              }
              if (!bad) print "ok " name ": " n " messages" }' \
        "$work/table" "$work/log" | tee "$work/verdict"
    grep -q '^FAIL' "$work/verdict" && bad=1
}

# In the box: a refused flag keeps its numbers.
for box in "-o 1 2 A:0" "A:0 -o 1 2" "-device -o 3 4 P" "A:0 0 2 7" "A:0 1.5 2" \
    "A:0 -tag -d 2"; do
    printf '#N canvas 0 0 450 300 12;\n#X obj 20 60 shmlink~ %s;\n' "$box"
done >"$work/box.pd"
cat >>"$work/box.pd" <<'END'
#X obj 20 20 loadbang;
#X msg 20 40 \; pd quit;
#X connect 6 0 7 0;
END
sed -i '3,$ { /^#N/d; }' "$work/box.pd"
timeout -k 2 300 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/box.pd" </dev/null >"$work/log" 2>&1
for words in "unknown flag -o: it is skipped, with what is behind it: 1 2" \
    "unknown flag -o: it is skipped, with what is behind it: 3 4" \
    "too many numbers: 7 is left out" "1.5 inlets is no whole number" \
    "-tag needs a word"; do
    grep -qF -- "$words" "$work/log" && echo "ok $words" || {
        echo "FAIL a box: never said: $words"
        cat "$work/log"
        bad=1
    }
done

cat >"$work/table" <<'END'
open | open needs a device
open 5 | is a number
open A:0 B:0 | one device, not both
open A:0 1 2 | open: 2 is left out
open A:0 7 | open: 7 is left out
open -o 1 2 A:0 | with what is behind it: 1 2
open A:0 1 | -
close 7 | close: takes no words, not 7
open A:0 | -
tag a b | tag: takes one word
bypass | bypass: takes 0 (off), 1 (hard) or 2 (soft), not nothing
bypass 3 | not 3
bypass 1.5 | not 1.5
panic 3 | panic: takes no words, not 3
midi_note 1 60 | not 1 60
midi_note 1 60 100 4 | not 1 60 100 4
midi_note 1 c 100 | not 1 c 100
midi_note 0 60 100 | channel 0 is outside
midi_note 1 200 100 | note 200 is outside
midi_note 1 60 1e+999 | no finite number
midi_note 1 60 99.5 | velocity 99.5 is no whole number
midi_noteoff 1 | midi_noteoff: takes
midi_cc 1 7 | midi_cc: takes
midi_cc 1 7.5 3 | controller 7.5 is no whole number
midi_cc 1.5 7 3 | channel 1.5 is no whole number
midi_bend 1 2 | bend 2 is outside
midi_bend 1 0 0 | midi_bend: takes
midi_program 1 2 3 | midi_program: takes
midi_touch 1 | midi_touch: takes
midi_aftertouch 1 | midi_aftertouch: takes
midi_polytouch 1 2 | midi_polytouch: takes
midi_raw | midi_raw: takes bytes
midi_raw 144 60 100 5 | begins another message
midi_raw 300 | word 1 is no byte from 0 to 255 but 300
midi_raw 60.5 | but 60.5
midi_raw x | but x
midi_sysex | midi_sysex
param_set | param_set: takes pairs, an index or a name and a value each, not nothing
param_set 0 | not 0
param_set 0 0.5 1 | not 0 0.5 1
param_set 999 1 | no parameter 999
param_set 0.5 1 | no parameter 0.5
param_set 0 1e+999 | no finite number
param_set 0 12 | 12 is outside 0 to 1
param_plain 0 | not 0
param_mod | param_mod: takes pairs
param_mod 0 x | cannot be x: give a number
param_mod nothing 1 | no parameter nothing
param_mod 0 1e+999 | no finite number
param_mod 0 0.5 | -
param_touch 0 2 | cannot be 2: give 1 (held) or 0
param_touch 0 | param_touch: takes pairs
param_touch 0 1 | -
param_get | param_get: takes one parameter
param_get 0 1 | not 0 1: type param_get 0
param_info 0 1 | param_info: takes one parameter
param_count 1 | param_count: takes no words
param_dump x | param_dump: takes nothing
param_dump 0.5 | param_dump: takes nothing
param_list 1 | param_list: takes no words
tempo | tempo: takes quarter notes per minute, above 0, not nothing
tempo 0 | not 0
tempo 1e+999 | no finite number
time_signature 4 | not 4
time_signature 3.5 4 | not 3.5 4
time_signature 4 2000000 | not 4 2000000
play | play: takes 1 to play or 0 to stop, not nothing
play 2 | play: takes 1 to play or 0 to stop, not 2
play 0.5 | not 0.5
play 1 1 | not 1 1
transport_play 2 | transport_play: takes
transport_set x | transport_set: takes a position
transport_get 1 | transport_get: takes no words
tap_list 1 | tap_list: takes no words
tap_route osc1 | tap_route: takes a tap
tap_route osc1 1.5 | tap_route: takes a tap
tap_route osc1 99 | tap_route: takes a tap
program_set | program_set: takes the number of a program, not nothing
program_set 1.5 | not 1.5
program_set x | not x
program_get 1 | program_get: takes no words, not 1
program_count 1 | program_count: takes no words
program_name_get 1 2 | not 1 2
program_list 0.5 | not 0.5
program_write | takes the path of a file
program_write x 7 | the last word may be 0 or 1 (async), not 7
program_read 1e+999 | takes the path of a file
program_data_get 1 | program_data_get: takes no words, not 1
program_data_set 1.5 | takes the bytes of a state
preset_save | takes the number or the name of a preset
preset_load -5 | takes a whole number from 0
preset_load 0.5 | takes a whole number from 0
preset_rename x | takes a preset and its new name
preset_list 1 | takes no words
preset_count 1 | takes no words
reset x | the last word may be 0 or 1
ping 1 | ping: takes no words
file_send | takes the path of a file
info a b | info: takes one device (_ for a space), or nothing for the linked one, not a b
stats 1 | stats: takes no words, not 1
why 1 | why: takes no words
latency 1 | latency: takes no words
version 1 | version: takes no words
print 1 | print: takes no words
END
said "[shmlink~]" "shmlink~ A:0 2 2" 2

cat >"$work/table" <<'END'
param_add x | param_add: takes a name
param_add level 0 1 0.5 | -
param_set level 12 | 12 is outside 0 to 1 of level
param_set level | param_set: takes pairs
param_set level x | level cannot be x: type a number
param_mod level | param_mod: takes pairs
param_touch level 2 | cannot be 2
param_get | param_get: takes one parameter, by index or name, not nothing
param_get 0.5 | no parameter 0.5
param_count 1 | param_count: takes no words
program_add | program_add: takes one name
program_set 9 | program_set: takes the number
latency -1 | latency: takes a whole number of frames, or nothing, not -1
latency 1 2 | not 1 2
latency 1.5 | not 1.5
tap env control 1.5 | tap: takes a name
log | log: takes the words
open a b | open: takes one name
tag a b | tag: takes one word
info 1 | info: takes no words
stats 1 | stats: takes no words
why 1 | why: takes no words
version 1 | version: takes no words
midi_note 1 60 | not 1 60
close 1 | close: takes no words
END
said "[shmlink~ -device]" "shmlink~ -device Said 2 0" 0

cat >"$work/table" <<'END'
scan 1 | scan: takes no words, not 1
count 1 | count: takes no words
clean 1 | clean: takes no words
info | info: takes one device (_ for a space), not nothing
info a b | info: takes one device (_ for a space), not a b
find | find: takes one link tag (_ for a space), not nothing
watch x | watch: takes milliseconds
watch -1 | watch: takes milliseconds
watch 2 | 2 ms is too short: 10 is used
watch 0 | -
monitor A:0 | monitor: takes one device, and 1 or 0, not A:0
monitor A:0 2 | not A:0 2
END
said "[shmreg]" "shmreg" 0

# The same again and again is one line and a count.
ask_patch "$work/again.pd" "shmlink~ A:0 0 2" "~300" "play 2 \\, play 2 \\, play 2 \\, play 2 \\, play 3"
sed -i 's/shmlink~ A:0 0 2;/shmlink~ A:0 0 2;/' "$work/again.pd"
timeout -k 2 300 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open "$work/again.pd" </dev/null >"$work/log" 2>&1
same "the same line is said once" "$(grep -c '^error.*play: takes.*not 2' "$work/log")" 1
same "and counted" "$(grep -c '3 more of: play: takes' "$work/log")" 1
exit "$bad"
