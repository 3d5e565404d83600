# SPDX-License-Identifier: MIT
# Hosts and devices of other block sizes, as programs: a rendering is the same
# samples, later by the latency that is said, or it is refused with both numbers.
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

SHMLINK_REGISTRY=b$$
export SHMLINK_REGISTRY
work=$(mktemp -d)
device=

end_device() {
    [ -z "$device" ] || kill "$device" 2>/dev/null
    [ -z "$device" ] || wait "$device" 2>/dev/null
    device=
}

tidy() {
    end_device
    ./shmlink clean >/dev/null 2>&1
    rm -rf "$work" "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
}
trap tidy EXIT
trap 'exit 130' INT TERM


render() { # rate, channels, options of the device, options of the host: $latency
    end_device
    timeout -k 2 1000 ./shmlink device --id Blocks:0 -q --samplerate "$1" \
        --channels "$2" $3 </dev/null >"$work/device" 2>&1 &
    device=$!
    ./shmlink wait Blocks:0 --timeout 400 >/dev/null
    timeout -k 2 1000 ./shmlink host --id Blocks:0 --seconds 0.5 \
        --notes "$here/pd/phrase.txt" --wav "$work/wav" $4 >"$work/host" 2>&1 ||
        cat "$work/host"
    latency=$(sed -n 's/^latency *\([0-9]*\) frames/\1/p' "$work/host")
    tail -c $(($1 / 2 * $2 * 4)) "$work/wav" >"$work/samples"
}

# The same but the first `latency` frames, which are silence.
cell() { # rate, channels, device, host, latency
    render "$1" "$2" "" "--blocksize 64"
    mv "$work/samples" "$work/plain"
    render "$1" "$2" "$3" "$4"
    rest=$((($1 / 2 - $5) * $2 * 4))
    head -c $rest "$work/plain" >"$work/early"
    tail -c $rest "$work/samples" >"$work/late"
    what="$1 Hz, $2 channels, device $3, host $4: $5 frames late"
    if [ "$latency" = "$5" ] && cmp "$work/early" "$work/late" &&
        [ "$(gzip -c "$work/late" | wc -c)" -gt 5000 ]; then
        pass "$what"
    else
        fail "$what, not ${latency:-unknown}"
    fi
}

# shows DL-16
cell 48000 2 "--blocksize 512 --fixed" "--blocksize 64" 448
cell 44100 12 "--blocksize 512 --fixed" "--blocksize 64 --pipelined" 960
cell 96000 1 "--blocksize 16" "--blocksize 4096 --reblock 16" 0
cell 44100 1 "--blocksize 48 --fixed" "--blocksize 480" 0
cell 48000 32 "" "--blocksize 4096 --reblock 17" 16
cell 48000 2 "--blocksize 4096 --fixed" "--blocksize 1000" 4088

if ./shmlink host --id Blocks:0 --blocksize 64 --reblock 100 --seconds 1 \
    --wav "$work/wav" >"$work/refused" 2>&1; then
    fail "blocks of 100 for a device of 4096 are refused"
elif grep -q 4096 "$work/refused" && grep -q 100 "$work/refused"; then
    pass "blocks of 100 for a device of 4096 are refused with both numbers"
else
    fail "the refusal names both: $(cat "$work/refused")"
fi
tally_end
