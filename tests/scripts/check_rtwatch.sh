# SPDX-License-Identifier: MIT
# Both sides under the watcher, which ends a program that allocates, locks or
# makes a system call in its audio path: host program and Pd, in batch for many
# blocks, then live while the device is killed and returns. Then the device
# under a system call tracer.
# shows DL-52 ME-04 ME-05
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

blocks=100000
[ -z "${SHL_SOAK:-}" ] || blocks=1000000
SHMLINK_REGISTRY=w$$
export SHMLINK_REGISTRY
watcher=$root/build/rtwatch.so
work=$(mktemp -d)
device= drive= guest=

end_device() {
    [ -n "$device" ] || return 0
    # where that is `timeout`, what it runs, too: it cannot pass on a KILL
    kill "-${1:-TERM}" $(cat "/proc/$device/task/$device/children" 2>/dev/null) \
        "$device" 2>/dev/null
    wait "$device" 2>/dev/null
    device=
}

tidy() {
    end_device
    [ -z "$guest" ] || kill "$guest" 2>/dev/null
    ./shmlink clean >/dev/null 2>&1
    rm -f "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY" \
        "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY".[0-9]*
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM

watched() { # program ...
    LD_PRELOAD=$watcher SHL_RTWATCH_REPORT=$work/report "$@"
}

start_device() {
    LD_PRELOAD=$watcher SHL_RTWATCH_REPORT=$work/report \
        ./shmlink device --id L:0 ${drive:---samplerate 48000} \
        --blocksize 64 --channels 2 --inputs 2 -q \
        >>"$work/device" 2>&1 </dev/null &
    device=$!
    ./shmlink wait L:0 --timeout 400 >/dev/null 2>&1
}

# pd FLAGS FILE MILLISECONDS LIMIT: MILLISECONDS for those who have a `load-ms`.
pd() {
    flags=$1
    LD_PRELOAD=$watcher SHL_RTWATCH_REPORT=$work/report \
        ${pd_exec:-} timeout -k 2 "$4" "$(command -v pd || command -v puredata)" \
        -nogui -nrt -noprefs -nomidi -noaudio -r 48000 -stderr $flags \
        -path "$root" -open "$2" -send "load-ms $3" </dev/null
}

# The device must have lived until we ended it, and nobody saw anything.
quiet() { # what, files to look at
    what=$1
    shift
    if ! kill -0 "$device" 2>/dev/null; then
        fail "$what: the device ended"
        cat "$work/device"
    elif grep -h '^rtwatch' "$@" "$work/device"; then
        fail "$what"
    else
        pass "$what"
    fi
}

seconds=$(((blocks * 64 + 47999) / 48000))

start_device
if watched timeout -k 2 600 ./shmlink host --id L:0 --wav "$work/out.wav" \
    --seconds "$seconds" >"$work/host" 2>&1; then
    quiet "host program and device, $blocks blocks" "$work/host"
else
    fail "host program, $blocks blocks"
    cat "$work/host"
fi
rm -f "$work/out.wav"

if watched timeout -k 2 600 ./shmlink host --id L:0 --wav "$work/out.wav" \
    --reblock 100 --pipelined --seconds $((seconds / 5)) >"$work/host" 2>&1; then
    quiet "the same in other blocks than the host's" "$work/host"
else
    fail "host program in other blocks than its own"
    cat "$work/host"
fi
rm -f "$work/out.wav"

# In the other modes, and with a tap.
played() { # what, words of the host
    p_what=$1
    shift
    if watched timeout -k 2 1000 ./shmlink host "$@" >"$work/host" 2>&1; then
        quiet "$p_what" "$work/host"
    else
        fail "$p_what"
        cat "$work/host"
    fi
    rm -f "$work/out.wav"
}
echo '0 param gain -12' >"$work/notes"
played "the mode audio" --id L:0 --mode audio --notes "$work/notes" \
    --wav "$work/out.wav" --seconds 5
played "the mode midi" --id L:0 --mode midi --seconds 1
played "with a tap" --id L:0 --tap bus1 --wav "$work/out.wav" --seconds 5
end_device

# Each in its own time and at its own rate, with a tap, and a guest looks on.
drive='--drive free --samplerate 44100'
start_device
drive=
./shmlink monitor L:0 --levels >/dev/null 2>&1 </dev/null &
guest=$!
played "the free drive between two rates, before a guest" --id L:0 \
    --samplerate 48000 --resample --tap bus1 --seconds 2
end_device
wait "$guest"
guest=
start_device

pd -batch tests/pd/load.pd $((seconds * 1000)) 600 >"$work/pd" 2>&1
if [ $? -eq 0 ] && grep -q '^load: stats missed 0$' "$work/pd"; then
    quiet "Pd and device, $blocks blocks" "$work/pd"
else
    fail "Pd and device, $blocks blocks"
    tail -n 30 "$work/pd"
fi

# A Pd as device that follows the host program.
end_device
(
    pd_exec=exec # so that it is what we end
    pd '' tests/pd/slave-effect.pd 0 700
) >"$work/slave" 2>&1 &
device=$!
./shmlink wait Effect:0 --timeout 400 >/dev/null 2>&1
if watched timeout -k 2 600 ./shmlink host --id Effect:0 \
    --wav "$work/out.wav" --seconds "$seconds" >"$work/host" 2>&1; then
    quiet "host program and Pd as its device, $blocks blocks" "$work/host" \
        "$work/slave"
else
    fail "host program and Pd as its device, $blocks blocks"
    cat "$work/host" "$work/slave"
fi
rm -f "$work/out.wav"
end_device

# A Pd as device that keeps its own time, and the host program, too; the device is
# killed once and returns.
own_time() {
    sed 's/ -slave//' tests/pd/slave-effect.pd >"$work/effect.pd"
    (
        pd_exec=exec # so that it is what we end
        pd '' "$work/effect.pd" 0 600
    ) >>"$work/own" 2>&1 &
    device=$!
    ./shmlink wait Effect:0 --timeout 400 >/dev/null 2>&1
}
own_time
watched timeout -k 2 1000 ./shmlink host --id Effect:0 --seconds 5 \
    >"$work/host" 2>&1 &
live=$!
sleep 1
end_device KILL
own_time
if wait "$live"; then
    quiet "host program and Pd as its device, each in its own time" \
        "$work/host" "$work/own"
else
    fail "host program and Pd as its device, each in its own time"
    cat "$work/host" "$work/own"
fi
end_device
start_device

# Live: the device is killed and comes back, three times.
pd '' tests/pd/load.pd 6000 600 >"$work/live" 2>&1 &
live=$!
for turn in 1 2 3; do
    tries=0
    until [ "$(grep -c '^load: open 1' "$work/live")" -ge $turn ] ||
        [ $tries -ge 8000 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    sleep 0.5
    end_device KILL
    sleep 0.5
    start_device
done
wait "$live"
status=$?
links=$(sed -n 's/^load: stats links //p' "$work/live")
if [ "$status" -eq 0 ] && [ "${links:-0}" -ge 3 ]; then
    quiet "live Pd while its device dies and returns ($links links)" \
        "$work/live"
else
    fail "live Pd while its device dies and returns: status $status," \
        "${links:-no} links"
    tail -n 30 "$work/live"
fi
end_device
cat "$work/report" 2>/dev/null
grep -q . "$work/report" 2>/dev/null || fail "the watcher saw no audio path"

# The tracer: once the device is playing, its audio thread (the first of the
# process) makes no other calls than these.
if command -v strace >/dev/null &&
    strace -o /dev/null true 2>/dev/null; then
    strace -f -o "$work/trace" ./shmlink device --id L:0 --samplerate 48000 \
        --blocksize 64 --channels 2 -q >/dev/null 2>&1 </dev/null &
    tracer=$!
    ./shmlink wait L:0 --timeout 400 >/dev/null 2>&1
    traced=$(awk 'NR == 1 { print $1 }' "$work/trace")
    # a live host, between whose blocks the device must sleep, until enough of
    # that is seen
    timeout -k 2 1000 ./shmlink host --id L:0 -q >/dev/null 2>&1 </dev/null &
    playing=$!
    tries=0
    while [ "$tries" -lt 8000 ] && [ "$(awk -v thread="$traced" '
        $1 != thread { next }
        / sched_get/ { waits = 0 }
        / futex\(/ { waits++ }
        END { print waits + 0 }' "$work/trace")" -lt 500 ]; do
        sleep 0.2
        tries=$((tries + 1))
    done
    kill "$playing" 2>/dev/null
    wait "$playing"
    kill "$traced" 2>/dev/null
    wait "$tracer"
    others=$(awk -v thread="$traced" '
        $1 != thread { next }
        /--- SIGTERM/ { exit }
        {
            name = $2 == "<..." ? $3 : $2
            sub(/\(.*/, "", name)
            call[++n] = name
            if (name == "futex" || name == "sched_yield")
                wait[++waits] = n
        }
        END {
            # it asks for its priority when it accepts a host, and from then
            # on, or from the first fifth of the waits on, it was playing
            begin = wait[int(waits / 5) + 1]
            for (i = begin; i <= wait[waits]; i++)
                if (call[i] ~ /^sched_get/)
                    begin = i + 1
            for (i = begin; i <= wait[waits]; i++) {
                seen++
                if (call[i] != "futex" && call[i] != "sched_yield")
                    print call[i]
            }
            if (seen < 20)
                print "only " seen + 0 " calls seen"
        }' "$work/trace" | sort | uniq -c)
    if [ -z "$others" ]; then
        pass "under a tracer the device's audio thread only waits and wakes"
    else
        fail "under a tracer the device's audio thread also calls:" $others
    fi
    # the keeper, which it starts once all is announced, reserves the planes
    reserved=$(awk -v thread="$traced" '
        $1 == thread && / clone3?\(/ { announced = 1 }
        announced && / fallocate\(/ {
            if ($1 == thread)
                own++
            else
                keeper++
        }
        END { print own + 0, keeper + 0 }' "$work/trace")
    if [ "$reserved" = "0 1" ]; then
        pass "under a tracer it reserves nothing, its keeper the planes"
    else
        fail "under a tracer it and its keeper reserve (0 1 expected):" \
            "$reserved"
    fi
else
    skip "device under a system call tracer: strace does not work here"
fi
tally_end
