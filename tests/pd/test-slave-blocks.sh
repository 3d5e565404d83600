#!/bin/sh
# SPDX-License-Identifier: MIT
# Hosts with other blocks than a tick hear the same, later by the latency that
# the follower states.
. "$here/pd/pd.sh"

log=$work/device
start "$PD" -nogui -nrt -noprefs -nomidi -noaudio -r 32768 \
    -stderr -path "$root" -open "$here/pd/slave-device.pd" >>"$log" 2>&1
ready Voice:0
size=$((32768 * 4))

render() { # block: its samples into $work/block, its latency in $latency
    : >"$log"
    timeout -k 2 500 "$SHMLINK" host -q --id Voice:0 --blocksize "$1" \
        --notes "$here/pd/phrase.txt" --seconds 1 --wav "$work/wav" || bad=1
    until_line "$log" "dev: released"
    latency=$(sed -n "s/^dev: link Voice:0 0 1 32768 $1 \([0-9]*\) .*/\1/p" "$log")
    tail -c $size "$work/wav" >"$work/$1"
}

render 64
same "latency of 64" "$latency" 0
same "it sounds" "$([ "$(gzip -c "$work/64" | wc -c)" -gt 30000 ] && echo yes)" yes
for pair in "16 48" "100 60" "1 63" "512 0" "4096 0" "1000 56"; do
    block=${pair% *}
    render "$block"
    same "latency of $block" "$latency" "${pair#* }"
    head -c $((size - 4 * ${latency:-0})) "$work/64" >"$work/early"
    tail -c $((size - 4 * ${latency:-0})) "$work/$block" >"$work/late"
    cmp "$work/early" "$work/late" && echo "ok same in blocks of $block" || bad=1
done
[ "$bad" = 0 ] || tail -20 "$log"
exit "$bad"
