#!/bin/sh
# In a Pd in real time: each open gets its one answer, also one that is asked
# twice or given up for the next; DSP tells nothing anew; close is told of what
# was open alone.
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id A:0
ready A:0
printf '#!/bin/sh\nexec sleep 30\n' >"$work/deaf"
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
[ $bad -eq 0 ] || cat "$work/log1" "$work/log2"
exit $bad
