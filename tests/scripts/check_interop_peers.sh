#!/bin/sh
# SPDX-License-Identifier: MIT
# The programs of the other side by themselves (tests/interop): the offsets of
# each crate against the table that ours are tested with, and each version's DAW
# with its own plugin host, so that a failure against ours means ours.
#   check_interop_peers.sh [part of a title]
# shows MP-07b
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"
. "$here/lib/interop.sh"

layouts() {
    for version in $versions; do
        name=$(table_name $version)
        case_of "offsets of version $name" || continue
        "$built/peer-$version" layout | sort >"$work/theirs"
        awk -F '\t' -v v="$name" '$1 == v' tests/offsets.tsv | sort >"$work/ours"
        if [ -s "$work/ours" ] && cmp -s "$work/ours" "$work/theirs"; then
            pass "$title: $(grep -c . "$work/ours") as in the table"
        else
            fail "$title: the crate and the table differ"
            diff "$work/ours" "$work/theirs" | head -5
        fi
    done
}

# The peers do what they are there for: nothing of ours is in this.
among_themselves() {
    for version in $versions; do
        case_of "their DAW, their plugin host, version $version" || continue
        lead $version tests/interop/reference.script "$built/peer-$version"
        logged "transport 123456789 99.5 7 8 1 44100"
        logged "resources /some/ordner ü"
        case $version in
        [3-6]*) logged "ref 6 /neu/Ton ß.wav" ;;
        *)
            logged "shared false"
            logged "shared true"
            logged copied
            ;;
        esac
        case $version in
        3) logged "window 77" ;;
        [45]) logged "window 77 1 0" ;;
        *) logged "window 77 1 2" ;;
        esac
    done
}

# Two crates that call themselves version 6 do not understand each other's MIDI:
# the peers would notice if ours were like that.
apart() {
    for pair in "6-b8 6-b16" "6-b16 6-b8"; do
        set -- $pair
        case_of "their $1 DAW and their $2 plugin host hear no MIDI" || continue
        : >"$work/log"
        {
            echo "start $built/peer-$2 clap x"
            echo "midi 3 7 144 60 100"
            echo "block"
            echo "quit 0"
        } | PEER_LOG=$work/log "$built/peer-$1" daw >"$work/said" 2>&1
        if grep -q '^midi 3 0 0 0 0 0$' "$work/log"; then
            pass "$title"
        else
            fail "$title"
            grep midi "$work/log"
        fi
    done
}

layouts
among_themselves
apart
nothing_left
tally_end
