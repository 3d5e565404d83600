# SPDX-License-Identifier: MIT
# The program shmplug as its users and DAWs meet it: command line, exit codes,
# special specs, its end in every way, and as a device on the board.
# shows ME-01 ME-04 ME-05 ME-08 ME-12 ME-13 MP-40 MP-48
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

SHMLINK_REGISTRY=p$$
export SHMLINK_REGISTRY
run=$root/build/tests/plug_run
plug=$root/shmplug
work=$(mktemp -d)
device=

tidy() {
    [ -z "$device" ] || kill "$device" 2>/dev/null
    ./shmlink clean >/dev/null 2>&1
    rm -f "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY" \
        "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY".[0-9]*
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM

# says "what" "wanted lines, one after the other" command ...
says() {
    what=$1
    wanted=$2
    shift 2
    got=$("$@" 2>"$work/err" | tr '\n' ' ')
    if [ "$got" = "$wanted " ]; then
        pass "$what"
    else
        fail "$what: \"$got\" instead of \"$wanted\""
        cat "$work/err"
    fi
}

# code "what" "exit code" "a word of the sentence" arguments of shmplug ...
code() {
    what=$1
    wanted=$2
    word=$3
    shift 3
    timeout 1000 "$plug" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ "$got" -eq "$wanted" ] && [ "$(grep -c . "$work/err")" -eq 1 ] &&
        grep -q -- "$word" "$work/err"; then
        pass "$what"
    else
        fail "$what: exit code $got instead of $wanted, or not one line" \
            "with \"$word\""
        cat "$work/err"
    fi
}

# ---- the command line -----------------------------------------------------------

code "no words" 1 "help"
code "one word too few" 1 "descriptors" null x /s i 3
code "one word too many" 1 "descriptors" null x /s i 3 4 48000
code "a word more than sizes" 1 "descriptors" lv2 x /s i 3 4 48000 64 2 2 2
code "a rate that is none" 1 "rate" null x /s i 3 4 fast 64 2 2
code "a block of 4097" 1 "block" null x /s i 3 4 48000 4097 2 2
code "33 inputs" 1 "inputs" null x /s i 3 4 48000 64 33 2
code "a level that is none" 1 "log-level" --log-level loud null x /s i 3 4
code "an option that is none" 1 "option" --what
code "a format that is none" 4 "vst9" vst9 x /s i 3 4
code "descriptors that are no numbers" 3 "descriptors" null x /s i three 4
code "a segment that is not there" 2 "/nowhere" null x /nowhere i 3 4
code "a name that no device can have" 1 "lv2" --register lv2 builtin synth
code "a plugin that is none, on the board" 5 "sampler" --register A builtin \
    sampler
code "a scan of a format that is none" 4 "vst9" --scan vst9

timeout 1000 "$plug" --log-level none null x /nowhere i 3 4 2>"$work/err"
if [ $? -eq 2 ] && [ ! -s "$work/err" ]; then
    pass "log level none says nothing"
else
    fail "log level none says nothing"
fi
says "version" "shmplug $(sed -n \
    's/^#X text [0-9]* [0-9]* VERSION \(.*\);/\1/p' shmlink-meta.pd)" \
    "$plug" --version
if "$plug" --help | grep -q -- '--register' &&
    [ "$("$plug" --help | awk 'length > 80' | wc -l)" -eq 0 ]; then
    pass "help"
else
    fail "help"
fi
# One line per plugin, each an object that names its format.
if "$plug" --scan >"$work/scan" && [ "$(head -c 1 "$work/scan")" = "[" ] &&
    [ "$(tail -n 1 "$work/scan")" = "]" ] &&
    [ "$(grep -c '^  {"format": "[a-z0-9]*", "spec": ".*}' "$work/scan")" \
        -eq "$(($(wc -l <"$work/scan") - 2))" ] &&
    grep -q '"spec": "synth"' "$work/scan"; then
    pass "the scan"
else
    fail "the scan"
    cat "$work/scan"
fi

# The same in the words of DAWs, which ask for three formats. Some pass the path
# as a word, some write "--system" alone. What is installed on this machine is there,
# too, and left out here.
scanned() { # what, names that must be there, arguments ...
    title=$1
    wanted=$2
    shift 2
    got=$("$plug" --scan "$@" 2>"$work/err" | python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert sorted(answer) == ["data", "errors", "warnings"], answer
for row in answer["data"]:
    assert row["id"] and row["path"] and row["name"], row
    assert row["capabilities"]["midi_inputs"] >= 0, row
print(" ".join(sorted(row["path"] for row in answer["data"]
                      if not row["path"].startswith("/usr/"))))')
    if [ "$got" = "$wanted" ]; then
        pass "$title"
    else
        fail "$title: $got"
        cat "$work/err"
    fi
}
own="builtin::gain builtin::synth"
scanned "a DAW scans CLAP" "$own" --format clap --path --system
scanned "a DAW scans all CLAP" "$own" --format clap --system
scanned "a DAW scans one path" "$own" --format clap --path builtin
scanned "a DAW scans one plugin" builtin::synth --path builtin::synth \
    --format clap
scanned "a DAW scans another path" "" --format clap --path /lib/x.clap
scanned "a DAW scans VST3" "" --log-level error --format vst3 --path --system
"$plug" --scan --format clap --path --system --output "$work/scan" &&
    grep -q '"data"' "$work/scan" && pass "a scan into a file" ||
    fail "a scan into a file"
code "a DAW scans no format" 1 "format" --scan --path --system
code "a DAW scans a format that is none" 4 "vst9" --scan --format vst9
code "a scan into a folder" 1 "$work cannot be written" --scan --format clap \
    --output "$work"

# ---- for a DAW -------------------------------------------------------------------

for n in 3 4 5 6 7 8; do
    says "protocol $n: starts, plays, ends" "ready blocks 100 exit 0" \
        "$run" --protocol $n "$plug" builtin gain -- ready blocks=100 end
done
says "a plugin of ours as CLAP" "ready blocks 100 exit 0" \
    "$run" "$plug" clap builtin::synth -- ready blocks=100 end
says "a plugin of ours as CLAP, by #" "ready blocks 100 exit 0" \
    "$run" "$plug" clap builtin#gain -- ready blocks=100 end
says "format null" "ready blocks 100 exit 0" \
    "$run" "$plug" null anything -- ready blocks=100 end
says "eleven words" "ready blocks 1 exit 0" \
    "$run" "$plug" builtin synth 44100 512 0 2 -- ready blocks=1 end
says "a protocol that it does not speak" "exit 2" \
    "$run" --protocol 9 "$plug" null x --
says "a plugin that does not exist" "not ready exit 5" \
    "$run" "$plug" builtin sampler -- ready
says "a plugin that does not load" "not ready exit 6" \
    "$run" "$plug" builtin fixture:refuse -- ready
says "a format of others" "not ready exit 4" \
    "$run" "$plug" vst3 /some/path -- ready
says "__crash__" "ready signal 6" "$run" "$plug" clap __crash__ -- ready
says "__hang__" "ready signal 15" "$run" "$plug" vst3 __hang__ -- ready term
says "__test__" "ready mark DEADBEEF exit 0" \
    "$run" "$plug" lv2 __test__ 48000 64 2 2 -- ready mark end
says "the format __test__" "ready mark DEADBEEF exit 0" \
    "$run" "$plug" __test__ x -- ready mark end
says "a crash in a block" "ready blocks 99 signal 6" \
    "$run" "$plug" builtin fixture:crash=100 -- ready blocks=1000
# On a busy machine the program's own clock may be faster than its own end.
hung() {
    "$run" "$plug" builtin hang -- ready block term | sed 's/^signal 14/exit 8/'
}
says "a hang in a block, SIGTERM" "ready exit 8" hung
says "the doorbell ends" "ready blocks 5 exit 0" \
    "$run" "$plug" builtin gain -- ready blocks=5 eof
says "the doorbell ends, all ends inherited" "ready blocks 5 exit 0" \
    "$run" --inherit "$plug" builtin gain -- ready blocks=5 eof
says "the segment is cut" "ready blocks 5 exit 2" \
    "$run" "$plug" builtin gain -- ready blocks=5 cut
says "SIGTERM" "ready exit 0" "$run" "$plug" builtin synth -- ready term

# The audio thread under the watcher: no allocation, no lock, and of system calls
# only the wake-up: poll, and one byte at a time.
blocks=20000
[ -z "${SHL_SOAK:-}" ] || blocks=1000000
cat >"$work/watched" <<TEXT
#!/bin/sh
LD_PRELOAD=$root/build/rtwatch.so SHL_RTWATCH_PIPES=1
SHL_RTWATCH_REPORT=$work/report
export LD_PRELOAD SHL_RTWATCH_PIPES SHL_RTWATCH_REPORT
exec "$plug" "\$@"
TEXT
chmod +x "$work/watched"
for spec in null gain synth fixture:echo,latency=64; do
    says "$spec under the watcher" "ready blocks $blocks exit 0" \
        "$run" "$work/watched" builtin $spec -- ready blocks=$blocks end
done
if [ "$(grep -c "violations 0 futex [0-9]* bytes" "$work/report")" -eq 4 ] &&
    awk -v least=$((2 * blocks)) '$NF < least { exit 1 }' "$work/report"; then
    pass "each block is a byte in and a byte out"
else
    fail "each block is a byte in and a byte out"
    cat "$work/report"
fi

# The DAW is killed: the plugin program goes, too, whatever it is doing.
gone() { # what, spec, words ...
    what=$1
    spec=$2
    shift 2
    child=$("$run" --inherit "$plug" builtin "$spec" -- "$@" die 2>/dev/null |
        sed -n 's/^child //p')
    for _ in $(seq 600); do
        kill -0 "$child" 2>/dev/null || break
        sleep 0.1
    done
    if [ -n "$child" ] && ! kill -0 "$child" 2>/dev/null; then
        pass "the DAW is killed: $what"
    else
        fail "the DAW is killed: $what: process ${child:-?} is left"
        kill -9 "$child" 2>/dev/null
    fi
}
gone "an idle plugin program ends" gain ready
gone "one in mid-session ends" synth ready blocks=10
gone "one that hangs ends" hang ready block

# ---- on the board ------------------------------------------------------------------

"$plug" --register Keys builtin synth 48000 64 0 2 2>"$work/device" &
device=$!
./shmlink wait Keys --timeout 60 >/dev/null 2>&1
if ./shmlink host --id Keys:0 --wav "$work/out.wav" --seconds 2 \
    >"$work/host" 2>&1 && grep -q ' 0 missed' "$work/host" &&
    ! grep -q 'silent' "$work/host"; then
    pass "a synth on the board plays"
else
    fail "a synth on the board plays"
    cat "$work/host" "$work/device"
fi
kill "$device"
wait "$device"
ended=$?
device=
if [ "$ended" -eq 0 ] && [ "$(./shmlink list | wc -l)" -eq 1 ]; then
    pass "SIGTERM takes it off the board"
else
    fail "SIGTERM takes it off the board: exit code $ended"
fi
tally_end
