# SPDX-License-Identifier: MIT
# The help patches and the abstractions, as users have them:
#   - each opens without an error line, where it lies and in a flat folder, with
#     no device running, on every Pd there is;
#   - every box that can be clicked is clicked by script, with the demo device
#     running: no error but those that the help announces;
#   - each answer has the words that the help shows for it, and info and stats
#     tell exactly the keys that have a field there;
#   - the instrument sounds, the chooser chooses, and the line that the help
#     gives for rendering renders.
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

SHMLINK_REGISTRY=h$$
export SHMLINK_REGISTRY
work=$(mktemp -d)
flat=$work/shmlink
SHMLINK_HOME=$work/home
export SHMLINK_HOME
device=

end_device() {
    [ -z "$device" ] || kill "$device" 2>/dev/null
    [ -z "$device" ] || wait "$device" 2>/dev/null
    device=
}

start_device() {
    end_device
    timeout -k 2 1000 ./shmlink device --id MySynth --samplerate 48000 \
        --blocksize 64 --channels 2 -q </dev/null >"$work/device" 2>&1 &
    device=$!
    ./shmlink wait MySynth:0 --timeout 400 >/dev/null 2>&1
}

tidy() {
    end_device
    ./shmlink clean >/dev/null 2>&1
    rm -rf "$work" "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
}
trap tidy EXIT
trap 'exit 130' INT TERM

pds() {
    if [ -n "${PD:-}" ]; then
        echo "$PD"
        return
    fi
    command -v pd || command -v puredata
    ls "$root"/build/pd-*/usr/bin/puredata "$root"/build/pd-*/usr/bin/puredata64 \
        2>/dev/null
}

run() { # pd, arguments
    p=$1
    shift
    timeout -k 2 1000 "$p" -nogui -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr "$@" </dev/null 2>&1
}

trouble() {
    sed 's/^verbose([0-9]*): //' |
        grep -E "^error|couldn't create|can't load|no such object|consistency"
}

mkdir "$flat"
cp -p help/*.pd abstractions/*.pd "$flat"
for class in shmlink~ shmreg; do
    cp -p "$class".* "$flat" 2>/dev/null
done

# ---- they open ---------------------------------------------------------------

cat >"$work/end.pd" <<'PATCH'
#N canvas 0 0 300 200 12;
#X obj 10 10 loadbang;
#X obj 10 40 delay 1500;
#X msg 10 70 \; pd quit;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
PATCH

# All patches of a folder in one Pd; each by itself only to name the culprit.
opens() { # pd, patches, where
    where=$3 patches=
    for patch in $2; do
        patches="$patches -open $patch"
    done
    log=$(run "$1" -open "$work/end.pd" $patches)
    status=$?
    if [ "$status" -eq 0 ] && ! echo "$log" | trouble >/dev/null; then
        pass "$(echo "$2" | wc -w) patches open $where"
        return
    fi
    for patch in $2; do
        bad=$(run "$1" -open "$work/end.pd" -open "$patch" | trouble | head -n 1)
        [ -z "$bad" ] || echo "     | $(basename "$patch"): $bad"
    done
    fail "patches open $where (exit status $status)"
}

pds >"$work/pds"
while read -r p; do
    version=$("$p" -version 2>&1 | sed -n 's/^\(Pd-[0-9.]*\).*/\1/p')
    case $p in *64) version="$version, double precision" ;; esac
    opens "$p" "$(ls help/*.pd abstractions/*.pd)" "in $version"
    opens "$p" "$(ls "$flat"/*.pd)" "in $version, from one flat folder"
done <"$work/pds"
PD=$(head -n 1 "$work/pds")

# ---- they are clicked --------------------------------------------------------

# A copy of a patch in which each clickable box has a receive click-<n>: message
# boxes without a value, and otherwise the number, symbol, slider or button in
# front of them. The copy also prints all replies.
cat >"$work/clickable.awk" <<'AWK'
BEGIN { RS = ";\n"; ORS = ";\n"; depth = 0; total = start + 0 }
function front(kind) {
    if (kind ~ /^(floatatom|hsl|vsl|tgl|hradio|nbx)$/)
        return "number"
    return kind == "symbolatom" ? "symbol" : ""
}
function word_for(text) { return text ~ /^(tag|find) / ? "lead" : "MySynth:0" }
function add(line) { print line; return count[depth]++ }
function receive(target,    r) {
    r = add("#X obj 0 0 r click-" total++)
    print "#X connect " r " 0 " target " 0"
    return r
}
function through(target, text,    m) {
    m = add("#X msg 0 0 " text)
    print "#X connect " m " 0 " target " 0"
    receive(m)
}
function finish(    i, f, k) {
    for (i = 0; i < inside[depth]; i++) {
        k = kind[depth, i]
        f = feeder[depth, i]
        if (k == "bng")
            receive(i)
        if (k != "msg")
            continue
        if (text[depth, i] !~ /\$/)
            receive(i)
        else if (f != "" && front(kind[depth, f]) == "number")
            through(f, 1)
        else if (f != "" && front(kind[depth, f]) == "symbol")
            through(f, "symbol " word_for(text[depth, i]))
    }
}
{
    while ($0 ~ /\\$/ && (getline more) > 0)
        $0 = $0 ";\n" more
    line = $0
    gsub(/\n/, " ", line)
    split(line, word, " ")
}
word[1] == "#N" { depth++; count[depth] = 0 }
word[1] == "#X" && word[2] == "restore" {
    inside[depth] = count[depth]
    finish()
    for (i = 0; i < inside[depth]; i++)
        feeder[depth, i] = ""
    depth--
}
word[1] == "#X" && word[2] !~ /^(connect|coords|declare|array)$/ {
    n = count[depth]++
    kind[depth, n] = word[2] == "obj" ? word[5] : word[2]
    feeder[depth, n] = ""
    text[depth, n] = line
    sub(/^#X [a-z]* -?[0-9]* -?[0-9]* /, "", text[depth, n])
    if (text[depth, n] ~ /pd quit/)
        kind[depth, n] = "quits"
}
word[1] == "#X" && word[2] == "connect" { feeder[depth, word[5]] = word[3] }
{ print }
END {
    inside[1] = count[1]
    finish()
    r = add("#X obj 0 0 r \\$0-reply")
    p = add("#X obj 0 0 print REPLY")
    print "#X connect " r " 0 " p " 0"
    if (opens) {
        r = add("#X obj 0 0 r click-open")
        m = add("#X msg 0 0 open MySynth:0")
        s = add("#X obj 0 0 s \\$0-msg")
        print "#X connect " r " 0 " m " 0"
        print "#X connect " m " 0 " s " 0"
    }
    printf "%d", total >counter
}
AWK

# Every 30 ms a click; half way to the next one the link is asked for again,
# since some of them end it.
clicker() { # number of clicks
    cat <<PATCH
#N canvas 0 0 500 400 12;
#X obj 10 10 loadbang;
#X obj 10 40 delay 600;
#X obj 10 70 metro 30;
#X obj 10 100 f;
#X obj 60 100 + 1;
#X obj 10 130 moses $1;
#X obj 10 160 makefilename click-%d;
#X obj 10 220 send;
#X msg 10 190 bang;
#X obj 200 100 delay 15;
#X obj 200 130 s click-open;
#X obj 150 160 delay 2000;
#X msg 150 190 \\; pd quit;
#X obj 10 175 t b s;
#X msg 300 100 stop;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
#X connect 2 0 3 0;
#X connect 2 0 9 0;
#X connect 3 0 4 0;
#X connect 4 0 3 1;
#X connect 3 0 5 0;
#X connect 5 0 6 0;
#X connect 6 0 13 0;
#X connect 13 1 7 1;
#X connect 13 0 8 0;
#X connect 8 0 7 0;
#X connect 9 0 10 0;
#X connect 5 1 14 0;
#X connect 14 0 2 0;
#X connect 5 1 11 0;
#X connect 11 0 12 0;
PATCH
}

click() { # name of the help patch, 1 to open the device again, allowed errors
    patch=$flat/clicked.pd
    awk -v opens="$2" -v counter="$work/count" -f "$work/clickable.awk" \
        "help/$1" >"$patch"
    clicks=$(cat "$work/count")
    clicker "$clicks" >"$work/clicker.pd"
    start_device
    run "$PD" -open "$patch" -open "$work/clicker.pd" >"$work/log"
    status=$?
    end_device
    rm -f "$patch"
    bad=$(trouble <"$work/log" | grep -vE "$3" | head -n 3)
    if [ "$status" -eq 0 ] && [ -z "$bad" ] && [ "$clicks" -gt 3 ]; then
        pass "$1: $clicks boxes clicked"
    else
        fail "$1: $clicks boxes clicked: ${bad:-exit status $status}"
    fi
    sed -n 's/^REPLY: //p' "$work/log" >"$work/replies"
}

answers() { # what, expressions that must each match a reply
    what=$1
    shift
    missing=
    for e; do
        grep -qE -- "^$e\$" "$work/replies" || missing="$missing [$e]"
    done
    if [ -z "$missing" ]; then
        pass "$what: $# answers as documented"
    else
        fail "$what: no answer like$missing"
    fi
}

# The green fields say what an answer looks like: "version <a> <b>".
shapes() { # help patch
    tr -d '\n' <"help/$1" | sed 's/;#/\n#/g' |
        sed -n 's/^#X obj [-0-9 ]*cnv [0-9]* [0-9]* [0-9]* empty \\$0-a-\([a-z_]*\) \(.*\) [-0-9]* [-0-9]* 0 [0-9]* #.*/\1 \2/p' |
        sed 's/\\ / /g' | grep '<' | grep -v ' or  *[a-z]*' |
        grep -vF '...' | sort -u >"$work/shapes"
    awk 'NR == FNR {
            selector = $1
            sub(/^[^ ]* /, "")
            words[selector] = gsub(/</, "<")
            open_end[selector] = /<text>$/
            next
        }
        $1 in words {
            seen[$1] = 1
            if (NF - 1 < words[$1] || (NF - 1 > words[$1] && !open_end[$1]))
                print "has " words[$1] " words in the help: " $0
        }
        END { for (s in seen) n++; print n + 0 >"/dev/stderr" }' \
        "$work/shapes" "$work/replies" >"$work/wrong" 2>"$work/seen"
    if [ ! -s "$work/wrong" ] && [ "$(cat "$work/seen")" -gt 0 ]; then
        pass "$1: $(cat "$work/seen") kinds of answers have the words shown"
    else
        fail "$1: $(head -n 2 "$work/wrong")"
    fi
}

keys() { # help patch, info or stats, letter of its fields
    grep -o "\\\\\$0-$3-[a-z_]* " "help/$1" | sed 's/.*-//' | tr -d ' ' |
        grep . | sort -u >"$work/shown"
    sed -n "s/^$2 \([a-z_]*\) .*/\1/p" "$work/replies" | sort -u >"$work/told"
    if [ -s "$work/told" ] && cmp -s "$work/shown" "$work/told"; then
        pass "$1: $2 tells the $(wc -l <"$work/told") keys that have a field"
    else
        fail "$1: $2: field or key missing: $(sort "$work/shown" \
            "$work/told" | uniq -u | tr '\n' ' ')"
    fi
}

number='-?[0-9.e+-]+'
click shmlink~-help.pd 1 'midi_sysex: the device has no|midi_note: no device|tap_route: (osc1|env)|takes no files|builtin:|(vis|file_list|note_names|port_counts): '
answers shmlink~-help.pd 'open 1 MySynth:0' 'open 1 MySynth' 'open 1 \*' \
    'link MySynth:0 0 2 48000 64 0 lockstep 0 both' \
    'link MySynth:0 0 2 48000 64 64 pipelined 0 both' 'latency 0' 'latency 64' \
    'close' 'open 0 NoSuchThing:7 not_found' \
    'error open not_found .*' 'why .*' 'version [0-9]+ [0-9]+ [0-9]+' \
    "param_state [0-9]+ $number .*" 'param_count 10' 'param_list 10' \
    'param_dump 10' 'param_dump 3' \
    "param_info 0 gain dB 1( $number){5} amp" "transport $number" \
    'info path MySynth:0' 'info_done 1' 'stats blocks [0-9]+' 'stats_done' \
    'error midi_sysex unsupported .*' 'program 1' 'program_name 1 pad' \
    'program_list 8' 'program_count 8' 'program_write 1' 'program_read 1' \
    "program_data 83( $number)+" 'preset_save 1' 'preset_change MySynth' \
    'preset_count 1' 'preset_list 1' 'preset_info 0 help .*/help.shl 0' \
    'preset_load 1' 'preset_rename 1' 'preset_delete 1' 'reset' \
    'error file_send no_permission .*' "ping $number"
shapes shmlink~-help.pd
keys shmlink~-help.pd info i
keys shmlink~-help.pd stats s

click shmreg-help.pd '' '^$'
answers shmreg-help.pd \
    'device MySynth:0 [0-9]+ 0 2 48000 64 both lockstep free 0 -' 'done 1' \
    'done 0' 'count 1' 'clean [0-9]+' 'info path MySynth:0' 'info_done 1' \
    'monitor MySynth:0 1' 'monitor MySynth:0 0'
shapes shmreg-help.pd
keys shmreg-help.pd info i

click shmlink.poly-help.pd 1 '^$'
answers shmlink.poly-help.pd 'open 1 MySynth:0' \
    'link MySynth:0 0 2 48000 64 0 lockstep 0 both'
shapes shmlink.poly-help.pd

click shmlink.chooser-help.pd "" "shmlink~: midi_note: no device"
answers 'shmlink.chooser-help.pd, one row chosen' 'open 1 MySynth:0'

# ---- they sound --------------------------------------------------------------

cat >"$work/poly.pd" <<'PATCH'
#N canvas 0 0 500 400 12;
#X declare -path shmlink;
#X obj 10 10 loadbang;
#X obj 10 40 t b b b;
#X msg 150 70 \; pd dsp 1;
#X msg 90 70 60 100;
#X obj 10 100 shmlink.poly MySynth:0;
#X obj 10 130 tabwrite~ sound;
#X obj 10 70 delay 300;
#X obj 10 200 array max sound;
#X obj 10 230 print LOUD;
#X obj 10 260 array define sound 4800;
#X obj 200 130 print SAYS;
#X obj 200 200 delay 20;
#X msg 200 230 \; pd quit;
#X connect 0 0 1 0;
#X connect 1 2 2 0;
#X connect 1 1 3 0;
#X connect 1 1 5 0;
#X connect 3 0 4 0;
#X connect 4 0 5 0;
#X connect 4 2 10 0;
#X connect 1 0 6 0;
#X connect 6 0 7 0;
#X connect 7 0 8 0;
#X connect 6 0 11 0;
#X connect 11 0 12 0;
PATCH
start_device
run "$PD" -batch -path "$work" -open "$work/poly.pd" >"$work/log"
if grep -qE '^LOUD: 0\.[0-9]*[1-9]' "$work/log" &&
    grep -q '^SAYS: open 1 MySynth:0' "$work/log"; then
    pass "shmlink.poly sounds ($(sed -n 's/^LOUD: //p' "$work/log"))"
else
    fail "shmlink.poly is silent: $(tail -n 3 "$work/log")"
fi

run "$PD" -batch -open "$flat/shmlink~-help.pd" \
    -send "shmlink-help-render 1000" >"$work/log"
wav="$flat/shmlink~-help.wav"
end_device
sound=$(tail -c +45 "$wav" 2>/dev/null | tr -d '\000' | wc -c)
size=$(wc -c <"$wav" 2>/dev/null)
if [ "${size:-0}" -ge 192044 ] && [ "$sound" -gt 100000 ]; then
    pass "the help renders a second in batch ($size bytes, $sound not zero)"
else
    fail "the help renders nothing in batch: $(tail -n 3 "$work/log")"
fi
if [ -e "$wav" ] && [ ! -e "help/shmlink~-help.wav" ]; then
    pass "the sound lies beside the patch"
fi
tally_end
