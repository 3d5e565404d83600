#!/bin/sh
# SPDX-License-Identifier: MIT
# Links that live: one Pd plays six links at once (lockstep, one block late, its own
# clock, a second Pd that follows, a plugin, a plugin by pipes) and gets counted
# samples back, while what is on the other end is stopped, hiccups, and has to share
# the machine. At Pd's own settings, at others that people use, and in the bursts of
# a sound card (JACK's dummy driver). Each comes back by itself, and no sample is
# stale or doubled.
#   check_live.sh [part of a setting's name]
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

kinds="lock late free slave plugin pipes"
wanted=${1:-}
rounds=1
[ -z "${SHL_SOAK:-}" ] || rounds=5
pd=$(command -v pd || command -v puredata)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# name|options of Pd|frames of JACK's period|busy processes beside
settings() {
    cat <<'END'
defaults|-noaudio
busy|-noaudio||4
sleepgrain-20|-noaudio -sleepgrain 20
audiobuf-5|-noaudio -audiobuf 5
audiobuf-100|-noaudio -audiobuf 100
jack-64|-jack|64
jack-256|-jack|256
jack-1024|-jack|1024
jack-64-callback|-jack -callback|64
jack-256-callback|-jack -callback|256
jack-1024-callback|-jack -callback|1024
jack-256-busy|-jack|256|4
END
}

# ---- one setting: check_live.sh -one NAME|OPTIONS|PERIOD|BUSY ------------------------

started=

# background NAME word ...: with a time limit; the pid of the program itself is then
# in $place/NAME.pid, its words in $place/NAME.log.
background() {
    b_name=$1
    shift
    timeout -k 2 400 sh -c 'echo $$ >"$0"; exec "$@"' "$place/$b_name.pid" "$@" \
        >"$place/$b_name.log" 2>&1 </dev/null &
    started="$started $!"
}

pid_of() {
    cat "$place/$1.pid"
}

tidy() {
    for process in $started; do
        kill "$process" 2>/dev/null
    done
    for process in $started; do
        wait "$process" 2>/dev/null
    done
    rm -f "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY" \
        "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY".[0-9]*
}

until_line() { # file text: 60 s at most
    u_left=600
    while ! grep -qF -- "$2" "$1" 2>/dev/null; do
        u_left=$((u_left - 1))
        [ $u_left -gt 0 ] || return 1
        sleep 0.1
    done
}

say() {
    echo "$1;" | timeout 20 pdsend "$port" localhost >/dev/null 2>&1
}

now_ms() {
    date +%s%3N
}

# Stop the other end of a link for a while; how long that really was is added up.
stop() { # seconds kind ...
    s_seconds=$1
    shift
    s_pids=$(for kind; do pid_of "$kind"; done)
    s_from=$(now_ms)
    kill -STOP $s_pids
    sleep "$s_seconds"
    kill -CONT $s_pids
    stopped_ms=$((stopped_ms + $(now_ms) - s_from))
}

disturb() {
    stopped_ms=0
    for kind in $kinds; do
        stop 0.05 "$kind"
        sleep 0.5
    done
    for kind in $kinds; do
        stop 0.3 "$kind"
        sleep 0.7
    done
    stop 2 $kinds
    sleep 2
    # hiccups
    for pause in 0.3 0.3 0.3 0.3 0.3 0.3 0.9 0.9 0.9 1.5 1.5; do
        stop 0.008 $kinds
        sleep $pause
    done
    sleep 1
}

# The Pds that are devices have no sound card: theirs is the host's business.
pd_words="-nogui -nrt -noprefs -nomidi -r 48000 -stderr -path $root"

one() { # name options period busy
    name=$1 options=$2 period=$3 busy=${4:-0}
    place=$work/$name
    mkdir -p "$place"
    SHMLINK_REGISTRY=v$$ JACK_DEFAULT_SERVER=v$$ JACK_NO_AUDIO_RESERVATION=1
    SHMLINK_PLUGIN_HOST=$root/shmplug SHMLINK_HOME=$place
    export SHMLINK_REGISTRY JACK_DEFAULT_SERVER JACK_NO_AUDIO_RESERVATION
    export SHMLINK_PLUGIN_HOST SHMLINK_HOME
    trap tidy EXIT
    trap 'exit 130' INT TERM
    port=$((20000 + $$ % 20000))
    if [ -n "$period" ]; then
        command -v jackd >/dev/null || {
            skip "live, $name: no jackd"
            return
        }
        background jack jackd --no-realtime --no-mlock -d dummy -r 48000 \
            -p "$period"
        sleep 1
    fi
    background lock build/tests/mirror Lock:0 48000
    background late build/tests/mirror Late:0 48000
    background free "$pd" $pd_words -noaudio -open tests/pd/live-free.pd
    background slave "$pd" $pd_words -noaudio -open tests/pd/live-slave.pd
    for device in Lock Late Free Slave; do
        ./shmlink wait $device:0 --timeout 60 >/dev/null || {
            fail "live, $name: device $device did not start"
            return
        }
    done
    background pd "$pd" $pd_words $options -open tests/pd/live-matrix.pd \
        -send "live-port $port"
    log=$place/pd.log
    for kind in $kinds; do
        until_line "$log" "$kind: link" || {
            fail "live, $name: $kind never linked"
            tail -n 20 "$log"
            return
        }
    done
    say "say info"
    for kind in plugin pipes; do
        until_line "$log" "$kind: info_done"
        sed -n "s/^$kind: info pid //p" "$log" | tail -n 1 >"$place/$kind.pid"
    done
    number=0
    while [ $number -lt "$busy" ]; do
        background "busy$number" sh -c 'while :; do :; done'
        number=$((number + 1))
    done
    sleep 1
    say "record open -wave -bytes 4 $place/sound.wav"
    say "record start"
    sleep 1
    disturb
    say "say stats"
    sleep 1
    say "record stop"
    say "say latency"
    until_line "$log" "pipes: latency"
    sleep 0.5
    say "quit bang"
    until_line "$log" "pipes: stats_done"
    sleep 0.5
    tidy
    started=
    judge
}

# By the file alone what was heard when; by the replies what is to be expected.
judge() {
    build/tests/hearing "$place/sound.wav" >"$place/heard" || {
        fail "live, $name: no sound file"
        tail -n 20 "$log"
        return
    }
    frames=$(($(stat -c %s "$place/sound.wav") / 28))
    channel=0
    for kind in $kinds; do
        channel=$((channel + 1))
        latency=$(sed -n "s/^$kind: latency //p" "$log" | tail -n 1)
        said=$(sed -n "s/^$kind: stats \(missed\|stalls\|underruns\) /\1 /p" "$log" |
            tr '\n' ' ')
        verdict=$(awk -v channel=$channel -v frames="$frames" -v kind=$kind \
            -v latency="${latency:-0}" -v stopped_ms=$stopped_ms '
            $1 != channel { next }
            { n++; length_ = $3 - $2; heard += length_
              silent = $2 - end; if (n > 1 && silent > longest) longest = silent
              end = $3; least = $4; most = $5
              # exact kinds: one delay, always
              if (kind != "free" && ($4 != latency || $5 != latency) && !wrong)
                  wrong = sprintf("frame %d came %g frames late, not %g",
                      $2, $4, latency)
              if (kind == "free" && $4 < 0 && !wrong)
                  wrong = sprintf("frame %d came before it was sent", $2) }
            END {
                rest = frames - end
                # where blocks come with a jitter of some ms, the way there and
                # back is stated with as much doubt
                if (kind == "free" && !wrong &&
                    (least < 0.75 * latency || most > 1.25 * latency))
                    wrong = sprintf("the end is %g to %g late, not %g",
                        least, most, latency)
                if (!n) wrong = "never heard"
                else if (rest > 24000)
                    wrong = sprintf("silent for the last %d frames", rest)
                else if (longest > 2.4 * 48000 + 48000)
                    wrong = sprintf("silent for %d frames", longest)
                printf "%s%.1f %% heard, longest gap %d ms", wrong ? wrong ": " : "",
                    100 * heard / frames, longest / 48
                exit wrong != "" }' "$place/heard") &&
            pass "live, $name, $kind: $verdict ($said)" || {
            fail "live, $name, $kind: $verdict ($said)"
            awk -v c=$channel '$1 == c' "$place/heard" | head -n 12
            grep "^$kind: \(stalled\|resumed\|xrun\|error\|gone\|latency\)" "$log" |
                head -n 8
        }
    done
}

if [ "${1:-}" = -one ]; then
    IFS='|'
    set -- $2
    unset IFS
    one "$@"
    exit 0
fi

# Where other programs keep the machine busy, these are all that do.
while [ $rounds -gt 0 ]; do
    settings | grep -F -- "$wanted" | grep -v 'busy|' | tr '\n' '\0' |
        xargs -0 -r -P "${JOBS:-2}" -n 1 sh "$0" -one
    settings | grep -F -- "$wanted" | grep 'busy|' | tr '\n' '\0' |
        xargs -0 -r -n 1 sh "$0" -one
    rounds=$((rounds - 1))
done
tally_end
