#!/bin/sh
# Programs of the other side, on the published crates of the Maolan plugin
# protocol (tests/interop): each version with itself; their DAWs with our
# shmplug, our host role with their plugin hosts; and the offsets of each crate
# against the table that ours are tested with. Built by cargo, or skipped.
#   check_interop.sh [part of a title]
# shows MP-07b MP-09 MP-10 MP-11 MP-12 MP-13 MP-14 MP-21 MP-23 MP-25 MP-27 MP-29
# shows MP-30 MP-31 MP-32 MP-33 MP-41 MP-44 MP-46 MP-48
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

# ---- tools ------------------------------------------------------------------------

built=$root/build/interop/debug
ours=${BUILD:-build}
versions="3 4 5 6-b8 6-b16"
many=200 limit=140
[ -z "${SHL_SOAK:-}" ] || many=20000 limit=600
work=$(mktemp -d)
ls /dev/shm 2>/dev/null | sort >"$work/before"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# As the first column of tests/offsets.tsv names it.
table_name() {
    case $1 in
    6-b8) echo 6-0.0.16 ;;
    6-b16) echo 6-0.0.17 ;;
    *) echo "$1" ;;
    esac
}

wanted=$*
case_of() { # title; true if it is to be run
    title=$*
    case $title in *"$wanted"*) return 0 ;; esac
    return 1
}

# Lead the DAW of a version by a script.
lead() { # version script program
    : >"$work/log"
    sed "s|PROGRAM|$3|; s|NAME|Gerät $(table_name "$1")|; s|MANY|$many|" "$2" |
        PEER_LOG=$work/log timeout -k 5 "$limit" "$built/peer-$1" daw \
            >"$work/said" 2>"$work/complaints"
    verdict $?
}

# One verdict on a program that has counted by itself; what went wrong is shown.
verdict() { # its status
    if [ "$1" -eq 0 ]; then
        pass "$title: $(tail -n 1 "$work/said")"
    else
        fail "$title: status $1"
        grep FAIL "$work/said" | head -5
        tail -n 3 "$work/complaints"
    fi
}

logged() { # line that the plugin host must have logged
    grep -qxF "$1" "$work/log" || fail "$title: not in the log: $1"
}

# ---- the crates -----------------------------------------------------------------

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
        logged "ref 6 /neu/Ton ß.wav"
        case $version in
        3) logged "window 77" ;;
        6*) logged "window 77 1 2" ;;
        *) logged "window 77 1 0" ;;
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

# ---- our plugin program ------------------------------------------------------------

under_their_daw() {
    for version in $versions; do
        case_of "their DAW, our shmplug, version $version" || continue
        lead $version tests/interop/fixture.script "$root/shmplug"
    done
}

# ---- our host role -----------------------------------------------------------------

our_daw() {
    for version in $versions; do
        case_of "our host role, their plugin host, version $version" || continue
        : >"$work/log"
        PEER_LOG=$work/log timeout -k 5 "$limit" "$ours/tests/interop_daw" \
            "$built/peer-$version" "${version%-*}" \
            >"$work/said" 2>"$work/complaints"
        verdict $?
        logged "transport 123456789 99.5 7 8 1 44100"
        logged "resources /some/ordner ü"
        logged "ref 6 /neu/Ton ß.wav"
    done
}

# ---- all --------------------------------------------------------------------------

nothing_left() {
    title="no segment is left"
    left=$(ls /dev/shm 2>/dev/null | sort | comm -13 "$work/before" - |
        grep '^maolan-')
    if [ -z "$left" ]; then
        pass "$title"
    else
        fail "$title: $left"
    fi
}

said=$(sh tests/interop/build.sh)
case $? in
0) ;;
77)
    echo "$said"
    exit 77
    ;;
*)
    echo "$said"
    fail "the peers are not there"
    exit 1
    ;;
esac
layouts
among_themselves
apart
under_their_daw
our_daw
nothing_left
tally_end
