#!/bin/sh
# SPDX-License-Identifier: MIT
# The audio path of a small C host and of its device allocates nothing, takes no
# lock and asks the system for nothing but to wake and to wait: under the
# preloaded watcher, which ends whoever does, also while devices die and return;
# and under a system call tracer, by counting. (Pd and the host program:
# check_rtwatch.sh.)
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

blocks=20000
[ -z "${SHL_SOAK:-}" ] || blocks=1000000
build=${BUILD:-build}
watcher=$root/$build/rtwatch.so
id=Live:0
work=$(mktemp -d)
SHMLINK_REGISTRY=q$$
export SHMLINK_REGISTRY
device=
drive=
trap 'end_device KILL; "$root/shmlink" clean >/dev/null 2>&1
    rm -rf "$work"; rm -f "/dev/shm/shl-$(id -u)-q$$" \
        "/dev/shm/shl-$(id -u)-q$$".[0-9]*' EXIT

start_device() { # environment and tracer, before the program
    env "$@" "$root/shmlink" device --id $id --inputs 2 $drive \
        >"$work/device" 2>&1 </dev/null &
    device=$!
    "$root/shmlink" wait $id --timeout 400 >/dev/null
}

end_device() { # signal; the device's own exit status
    [ -n "$device" ] || return 0
    kill "-$1" "$device" 2>/dev/null
    wait "$device" 2>/dev/null
    ended=$?
    device=
    return $ended
}

# Whoever is watched is aborted at its first offence.
verdict() { # what status-of-host status-of-device
    if [ "$2" -eq 0 ] && [ "$3" -eq 0 ] &&
        ! grep -q 'rtwatch: .* in the audio path' "$work"/*; then
        pass "$1"
    else
        fail "$1: host ended with $2, device with $3"
        grep -h 'rtwatch\|host' "$work"/* | sort | uniq -c | head -5
    fi
}

# ---- the watcher ---------------------------------------------------------------

steady() {
    start_device LD_PRELOAD="$watcher"
    LD_PRELOAD=$watcher "$build/tests/live_host" $id $blocks >"$work/host" 2>&1
    host=$?
    end_device TERM
    verdict "watched: $(tail -n 1 "$work/host"), device and host" $host $?
}

# Each keeps its own time.
own_time() {
    drive='--drive free'
    start_device LD_PRELOAD="$watcher"
    LD_PRELOAD=$watcher "$build/tests/live_host" $id $((blocks / 10)) \
        >"$work/host" 2>&1
    host=$?
    end_device TERM
    verdict "watched in the free drive: $(tail -n 1 "$work/host")" $host $?
    drive=
}

# Plugin programs that are woken by pipes: a byte out, waiting, and bytes in.
by_pipes() { # what plugin program
    SHL_RTWATCH_PIPES=1 LD_PRELOAD=$watcher LIVE_PROTOCOL=6 \
        SHMLINK_PLUGIN_HOST=$3 "$build/tests/live_host" "$2" $blocks \
        >"$work/host" 2>&1
    verdict "watched, by pipes to $1: $(tail -n 1 "$work/host")" $? 0
}

# The host goes on over the deaths of five devices.
dying() {
    start_device LD_PRELOAD="$watcher"
    LD_PRELOAD=$watcher "$build/tests/live_host" $id $blocks \
        >"$work/host" 2>&1 &
    host=$!
    deaths=0
    while [ $deaths -lt 5 ] && kill -0 $host 2>/dev/null; do
        sleep 0.4
        kill -0 "$device" 2>/dev/null || break
        end_device KILL
        start_device LD_PRELOAD="$watcher"
        deaths=$((deaths + 1))
    done
    wait $host
    host=$?
    end_device TERM
    verdict "watched: $(tail -n 1 "$work/host"), $deaths devices killed" \
        $host $?
}

# ---- the tracer ------------------------------------------------------------------

# Calls that are neither waking, waiting nor yielding, of the thread that made
# most of those: the audio thread. Linking takes as long as the machine is busy,
# so live_host tells the tracer (getppid) when it has linked.
other_calls() { # trace
    awk '{ tid = $1; call = $2; sub(/\(.*/, "", call) }
        call !~ /^[a-z_0-9]+$/ { next }
        call == "getppid" { other[tid] = 0; next }
        call == "futex" || call == "sched_yield" { audio[tid]++; next }
        { other[tid]++ }
        END {
            for (t in audio)
                if (audio[t] > most) { most = audio[t]; thread = t }
            print other[thread] + 0
        }' "$1"
}

traced() { # blocks; sets host_calls and device_calls
    strace -f -qq -o "$work/trace-device" "$root/shmlink" device --id $id \
        --inputs 2 -q >"$work/device" 2>&1 </dev/null &
    device=$!
    "$root/shmlink" wait $id --timeout 400 >/dev/null
    strace -f -qq -o "$work/trace-host" "$build/tests/live_host" $id "$1" 0 \
        >"$work/host" 2>&1
    host=$?
    # the tracer ends with the traced program
    kill -TERM $(sed -n '1s/ .*//p' "$work/trace-device") 2>/dev/null
    wait "$device"
    device=
    host_calls=$(other_calls "$work/trace-host")
    device_calls=$(other_calls "$work/trace-device")
    return $host
}

tracer() {
    if ! command -v strace >/dev/null ||
        ! strace -qq -o /dev/null true 2>/dev/null; then
        skip "traced: there is no strace that works here"
        return
    fi
    few=2000
    many=20000
    traced $few || fail "traced: live_host ended with $?"
    host_few=$host_calls
    device_few=$device_calls
    traced $many || fail "traced: live_host ended with $?"
    line="other calls of the audio threads in $few and $many blocks: host"
    line="$line $host_few and $host_calls, device $device_few and $device_calls"
    if [ "$host_calls" -le $((host_few + 10)) ] &&
        [ "$device_calls" -le $((device_few + 10)) ]; then
        pass "traced: $line"
    else
        fail "traced: $line"
    fi
}

steady
own_time
by_pipes "a Maolan peer" clap:B16/normal "$root/$build/tests/maolan_peer"
by_pipes shmplug builtin:gain "$root/shmplug"
dying
tracer
tally_end
