#!/bin/sh
# SPDX-License-Identifier: MIT
# An effect whose return takes its own outlets: what the host hears is bit by bit
# what it sent, at its outputs and at the taps. shows DL-48 DL-33
. "$here/pd/pd.sh"

log=$work/device
start_live "$here/pd/pass.pd" "$log"
ready Pass:0
batch with-pass.pd || bad=1
until_line "$log" "dev: released" && echo "ok released" || bad=1
same "wrong taps are refused" \
    "$(grep -c '^dev: error tap bad_value' "$log")" 2
same "and harm nothing" "$(grep -c '^dev: open 1 Pass:0' "$log")" 1
exit "$bad"
