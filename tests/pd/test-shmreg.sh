#!/bin/sh
# SPDX-License-Identifier: MIT
# [shmreg] with two devices, one of them with a space in its name; then
# [shmlink~] by names with a space.
# shows DL-11 DL-12
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id MySynth --tag lead
ready MySynth:0
start "$SHMLINK" device -q --id "My Synth" --samplerate 44100 --inputs 2 \
    --channels 1 --blocksize 128
ready "My Synth:0"
batch with-shmreg.pd || exit 1
kill "$last"
wait "$last"
start "$SHMLINK" device -q --id "My Synth"
ready "My Synth:0"
batch with-space.pd || exit 1
