#!/bin/sh
# SPDX-License-Identifier: MIT
# Requests and events with DSP off, in real time.
. "$here/pd/pd.sh"

start "$SHMLINK" device -q --id MySynth --click --echo
ready MySynth:0
live "$here/pd/with-dsp-off.pd" || exit 1
