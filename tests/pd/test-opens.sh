#!/bin/sh
# SPDX-License-Identifier: MIT
# In a Pd in real time: each open gets its one answer, also one that is asked
# twice or given up for the next; DSP tells nothing anew; close is told of what
# was open alone. What is no number is no name. A stopped device answers none, and
# what waits for it is told so.
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id A:0
ready A:0
printf '#!/bin/sh\nexec sleep 600\n' >"$work/deaf"
chmod +x "$work/deaf"
outlet=2

ask_patch "$work/a.pd" "shmlink~ Nobody:0 0 2 -host $work/deaf" "!pd dsp 1" \
    "open builtin:gain \\, open builtin:gain \\, open A:0 \\, open A:0" "~600000"
live_until "$work/a.pd" "$work/log1" 2 "reply: open 1"
matches "each open is answered" "$work/log1" <<'END'
open 0 Nobody:0 not_found
open 0 builtin:gain again
error open again
open 0 builtin:gain again
error open again
open 1 A:0
open 1 A:0
END

ask_patch "$work/b.pd" "shmlink~ -host $work/deaf 0 2" \
    "open builtin:gain \\, close \\, close" "open Nobody:0" "open builtin:gain" \
    "close" "~600000"
live_until "$work/b.pd" "$work/log2" 2 "reply: close"
matches "an open that is given up, too" "$work/log2" <<'END'
open 0 builtin:gain again
error open again
close
open 0 Nobody:0 not_found
error open not_found
open 0 builtin:gain again
error open again
close
END
cat >"$work/c.pd" <<'END'
#N canvas 0 0 450 300 12;
#X obj 20 200 shmlink~ A:0 0 2;
#X obj 20 230 print reply;
#X obj 200 20 bang;
#X obj 20 20 loadbang;
#X obj 20 40 delay 20;
#X msg 20 60 1e+308;
#X obj 20 80 * 1e+38;
#X obj 20 100 t f f;
#X obj 20 120 -;
#X msg 20 140 open \$1 \, tag \$1 \, close;
#X connect 0 2 1 0;
#X connect 3 0 4 0;
#X connect 4 0 5 0;
#X connect 5 0 6 0;
#X connect 6 0 7 0;
#X connect 7 1 8 1;
#X connect 7 0 8 0;
#X connect 8 0 9 0;
#X connect 9 0 0 0;
END
live_until "$work/c.pd" "$work/log3" 1 "reply: close"
grep -v '^reply: open 1' "$work/log3" >"$work/log4"
matches "NaN is no name" "$work/log4" <<'END'
open 0
error open bad_name
error tag bad_value
close
END

# What close overtakes is not told that the device has ended.
ask_patch "$work/e.pd" "shmlink~ A:0 0 2" "~200" "program_list \\, close" "~600000"
live_until "$work/e.pd" "$work/log6" 1 "reply: program_list"
same "the link ended" "$(grep -c 'the device has ended' "$work/log6")" 0

# A device that is stopped before it has accepted: what is asked is answered, too.
device=$("$SHMLINK" list | awk '$1 == "A:0" { print $2 }')
kill -STOP "$device"
ask_patch "$work/d.pd" "shmlink~ 0 2" "open A:0 \\, program_get" "~600000"
live_until "$work/d.pd" "$work/log5" 1 "reply: error program_get"
kill -CONT "$device"
matches "no acceptance" "$work/log5" <<'END'
open 0 A:0 timeout
error open timeout
program_get 0
error program_get timeout
END
[ $bad -eq 0 ] || cat "$work/log1" "$work/log2" "$work/log3" "$work/log5"
exit $bad
