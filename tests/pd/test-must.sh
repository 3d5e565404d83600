#!/bin/sh
# SPDX-License-Identifier: MIT
# A box with -must whose device is missing ends Pd with status 1, in batch.
. "$here/pd/pd.sh"

batch with-must.pd >"$work/log"
same "status of Pd" $? 1
cat "$work/log"
same "reply" "$(grep -c '^reply: open 0 Nope:0 not_found' "$work/log")" 1
exit "$bad"
