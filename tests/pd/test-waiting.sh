#!/bin/sh
# SPDX-License-Identifier: MIT
# What is said while the program of a plugin starts is kept, 1,024 messages, and
# heard in order when it is ready; the rest is refused. Live: in batch `open`
# waits.
. "$here/pd/pd.sh"

log=$work/log
start_live "$here/pd/waiting.pd" "$log"
until_line "$log" "host: open 1 builtin:gain" || bad=1
u_left=8000
while [ "$(grep -c '^host: param_state 0 0.25 ' "$log")" -lt 1023 ]; do
    u_left=$((u_left - 1))
    [ "$u_left" -gt 0 ] || break
    sleep 0.05
done
same "kept and answered" "$(grep -c '^host: param_state 0 0.25 ' "$log")" 1023
same "one too many each" "$(grep -c '^host: error param_get ring_full' "$log")" 76
same "nothing else said" "$(grep -c 'no device' "$log")" 0
exit "$bad"
