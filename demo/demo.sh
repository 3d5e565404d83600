#!/bin/sh
# SPDX-License-Identifier: MIT
# The first sound: starts a synth in a process of its own, has Pd play it
# through shared memory, and leaves demo.wav and a picture of it, demo.png.
# Ends what it started and leaves nothing in shared memory, also when it fails.
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2

SHMLINK_REGISTRY=demo$$
export SHMLINK_REGISTRY
work=$(mktemp -d)
device=

tidy() {
    trap - EXIT INT TERM HUP
    if [ -n "$device" ]; then
        kill "$device" 2>/dev/null
        wait "$device" 2>/dev/null
    fi
    ./shmlink clean >/dev/null 2>&1
    rm -f "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM HUP

give_up() {
    echo "demo: $1" >&2
    [ ! -s "$work/log" ] || cat "$work/log" >&2
    exit 1
}

# The answers of the object, as the patch prints them: "demo: stats blocks 8250".
answer() { # words before the value
    sed -n "s/^demo: $1 //p" "$work/log" | tail -n 1
}

waveform_data() {
    sox demo.wav -t dat - remix 1,2 rate 12000 2>/dev/null |
        awk '!/^;/ { v = $2; if (v > h) h = v; if (v < l) l = v
            if (++n == 24) { printf "%.4f %.4f %.4f\n", $1, l, h
                n = h = l = 0 } }'
}

picture() {
    waveform_data >"$work/wave" &&
        sox demo.wav -n remix 1,2 rate 16000 spectrogram -r -x 1200 -y 257 \
            -z 90 -o "$work/spectrogram.png" &&
        gnuplot <<PLOT
set terminal pngcairo size 1280,760 font "sans,11" background "#fafafa"
set output "demo.png"
set multiplot
seconds = $1
set xrange [0:seconds]
set lmargin at screen 0.07
set rmargin at screen 0.97
set border 3 lc rgb "#808080"
set tics nomirror out
set tmargin at screen 0.92
set bmargin at screen 0.66
set title "demo.wav: Pd plays [shmlink~ MySynth:0]" noenhanced offset 0,-0.3
set ylabel "amplitude"
set yrange [-$2:$2]
set format x ""
set grid xtics lc rgb "#dddddd"
plot "$work/wave" using 1:2:3 with filledcurves lc rgb "#2a6f97" notitle
set tmargin at screen 0.62
set bmargin at screen 0.09
unset title
unset grid
set format x "%g"
set xlabel "seconds"
set ylabel "kHz"
set yrange [0:8]
plot "$work/spectrogram.png" binary filetype=png \
    dx=seconds/1200.0 dy=8/257.0 with rgbimage notitle
unset multiplot
PLOT
}

pd=$(command -v pd || command -v puredata) || give_up "there is no Pd"
for file in "shmlink~.pd_linux" shmlink; do
    [ -e "$file" ] || give_up "$file is not built: run make"
done

timeout 120 ./shmlink device --id MySynth --samplerate 48000 --blocksize 64 \
    --channels 2 -q >"$work/log" 2>&1 </dev/null &
device=$!
./shmlink wait MySynth:0 --timeout 10 >>"$work/log" 2>&1 ||
    give_up "the synth did not start"

rm -f demo.wav demo.png
timeout -k 2 60 "$pd" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
    -stderr -path "$root" -open demo/demo.pd -send "demo-render bang" \
    >"$work/log" 2>&1 </dev/null ||
    give_up "Pd did not finish"
[ -s demo.wav ] || give_up "Pd wrote no demo.wav"

peak=$(sox demo.wav -n stat 2>&1 | awk '/Maximum amplitude/ { print $3 }')
length=$(sox --i -D demo.wav)
awk "BEGIN { exit !($peak > 0.01) }" || give_up "demo.wav is silent"
scale=$(awk "BEGIN { print $peak * 1.1 }")
picture "$length" "$scale" >>"$work/log" 2>&1 && [ -s demo.png ] ||
    give_up "demo.png could not be drawn"

blocks=$(answer "stats blocks")
missed=$(answer "stats missed")
latency=$(answer "info latency")
echo "linked     $(answer "link" | awk '{ printf "%s, %s in, %s out, " \
    "%s Hz, blocks of %s, %s", $1, $2, $3, $4, $5, $7 }')"
echo "notes      $(answer notes) sent"
echo "blocks     $blocks, missed $missed"
echo "latency    $latency frames"
echo "sound      $root/demo.wav ($length s)"
echo "picture    $root/demo.png"
[ "$missed" = 0 ] || give_up "$missed blocks are missing in demo.wav"
