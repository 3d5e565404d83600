#!/bin/sh
# SPDX-License-Identifier: MIT
# A patch as effect, in two boxes: signals there and back in the same block,
# notes and parameters both ways, latency stated.
. "$here/pd/pd.sh"

log=$work/device
start_live "$here/pd/slave-effect.pd" "$log"
ready Effect:0
batch with-slave-effect.pd || bad=1
until_line "$log" "dev: released" && echo "ok released" || bad=1
same "kept" "$(grep -c '^dev: param 0 gain 0.5 2' "$log")" 1
same "transport" "$(grep -c '^dev: transport 0 120 4 4 0' "$log")" 1
grep -E '^error|^dev: error' "$log"
exit "$bad"
