#!/bin/sh
# SPDX-License-Identifier: MIT
# The published programs of the other side (tests/interop/real.sh): their plugin
# hosts with our host role (interop_real.c), the client code of their engines with
# our shmplug. `make soak` builds them; else those that are built are run.
#   check_interop_real.sh [part of a title]
# shows MP-07b MP-29 MP-34 MP-41 MP-42 MP-48
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

real=$root/build/interop/real
ours=${BUILD:-build}
limit=1400 # only a hang is that slow
wanted=$*
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
case_of() { # title; true if it is to be run
    title=$*
    case $title in *"$wanted"*) return 0 ;; esac
    return 1
}

if [ -n "${SHL_SOAK:-}" ] && command -v cargo >/dev/null; then
    sh tests/interop/real.sh >"$work/missing"
fi

is_there() { # name
    [ -x "$real/$1" ] && return 0
    why=$(sed -n "s/^$1: //p" "$work/missing" 2>/dev/null)
    skip "$title: ${why:-not built: make soak builds it}"
    return 1
}

# A busy machine may make one of their DAWs give up a block, which stays one
# behind from then on: that is how they are. Not three times in a row.
try() { # command ...
    for n in 1 2 3; do
        timeout -k 5 "$limit" "$@" >"$work/said" 2>"$work/complaints" && break
    done
    if [ $? -eq 0 ] && grep -q ' 0 bad$' "$work/said"; then
        pass "$title: $(tr '\n' ' ' <"$work/said")"
    else
        fail "$title"
        grep FAIL "$work/said" | head -5
        tail -n 3 "$work/complaints"
    fi
}

# One of each format that is here; the others of LV2 would be read at each start.
lv2=/usr/lib/lv2/eg-amp.lv2
clap=$(ls /usr/lib/clap/*.clap 2>/dev/null | head -1)
mkdir "$work/lv2"
[ ! -d $lv2 ] || cp -R $lv2 /usr/lib/lv2/*-*core* /usr/lib/lv2/core.lv2 \
    /usr/lib/lv2/units.lv2 "$work/lv2" 2>/dev/null

our_daw() { # version of the host, protocol number
    if case_of "our host role, plugin host $1, LV2"; then
        if [ ! -d $lv2 ]; then
            skip "$title: no $lv2 here"
        elif is_there "host-$1"; then
            LV2_PATH=$work/lv2 try "$ours/tests/interop_real" \
                "$real/host-$1" "$2" lv2:http://lv2plug.in/plugins/eg-amp
        fi
    fi
    if case_of "our host role, plugin host $1, CLAP"; then
        if [ -z "$clap" ]; then
            skip "$title: no CLAP plugin here"
        elif is_there "host-$1"; then
            try "$ours/tests/interop_real" "$real/host-$1" "$2" "clap:$clap"
        fi
    fi
}

our_plugin_host() { # version of the engine
    case_of "engine $1, our shmplug" || return 0
    is_there "engine-$1" || return 0
    MAOLAN_PLUGIN_HOST=$root/shmplug try "$real/engine-$1" "$root/shmplug"
}

before=$(mktemp)
shm_names >"$before"
our_daw 0.0.2 3
our_daw 0.0.7 7
our_daw 0.0.8 7
our_daw 0.1.2 8
for version in 0.2.20 0.2.65 0.3.7 0.4.20; do
    our_plugin_host $version
done
title="no segment is left"
left=$(shm_left "$before" | grep maolan-)
rm -f "$before"
[ -z "$left" ] && pass "$title" || fail "$title: $left"
tally_end
