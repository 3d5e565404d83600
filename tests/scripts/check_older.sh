#!/bin/sh
# SPDX-License-Identifier: MIT
# Devices and hosts of an older build with those of this one, both ways: they link, and
# a rendering has the same bytes whoever is of which build.
# shows MP-04
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

# The last commit before the rooms: its bytes are those of version 0.1.0.
older=852c1ff
git cat-file -e "$older^{commit}" 2>/dev/null ||
    { echo "commit $older is not in this clone: git fetch --unshallow"; exit 77; }

work=$(mktemp -d)
SHMLINK_REGISTRY=o$$
export SHMLINK_REGISTRY
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

# Kept from one run to the next.
tree=build/older-$older
if [ ! -x "$tree/build/shmlink" ]; then
    mkdir -p "$tree"
    git archive "$older" | tar -xf - -C "$tree"
    make --no-print-directory -C "$tree" -j2 build/shmlink >"$work/build" 2>&1 ||
        { fail "the older build: $(tail -n 3 "$work/build")"; tally_end; exit 1; }
fi
old=$tree/build/shmlink new=./shmlink

# render DEVICE HOST DRIVE FILE
render() {
    timeout -k 5 900 "$1" device --id Across --samplerate 48000 -q \
        >"$work/device" 2>&1 </dev/null &
    device=$!
    "$2" wait Across:0 --timeout 400 >/dev/null 2>&1
    timeout -k 5 400 "$2" host --id Across:0 --drive "$3" --wav "$4" --seconds 3 \
        >"$work/host" 2>&1 </dev/null
    status=$?
    end_device
    return $status
}

for drive in lockstep pipelined; do
    for pair in "$new $new" "$old $new" "$new $old"; do
        file=$work/$(echo "$drive-$pair" | tr -c 'a-z0-9\n' _).wav
        # shellcheck disable=SC2086
        if ! render $pair "$drive" "$file"; then
            fail "$drive, device and host: $pair: $(tail -n 3 "$work/host")"
        elif [ -e "$work/$drive" ] && ! cmp -s "$file" "$work/$drive"; then
            fail "$drive, device and host: $pair: another sound"
        else
            pass "$drive, device and host: $pair"
            [ -e "$work/$drive" ] || cp "$file" "$work/$drive"
        fi
    done
done
for pair in "$old $new" "$new $old"; do
    timeout -k 5 900 "${pair% *}" device --id Across --samplerate 48000 --drive free \
        -q >"$work/device" 2>&1 </dev/null &
    device=$!
    "${pair#* }" wait Across:0 --timeout 400 >/dev/null 2>&1
    timeout -k 5 400 "${pair#* }" host --id Across:0 --drive free --seconds 2 \
        >"$work/host" 2>&1 </dev/null
    if grep -q '^peak *-[0-9]' "$work/host"; then
        pass "free, device and host: $pair"
    else
        fail "free, device and host: $pair: $(tail -n 3 "$work/host")"
    fi
    end_device
done
tally_end
