#!/bin/sh
# SPDX-License-Identifier: MIT
# Our host role with plugin hosts on the published crates of the Maolan plugin
# protocol (tests/interop): see interop_daw.c.
#   check_interop_daw.sh [part of a title]
# shows MP-07b MP-09 MP-10 MP-11 MP-12 MP-13 MP-14 MP-21 MP-23 MP-25 MP-27 MP-29
# shows MP-30 MP-31 MP-32 MP-33 MP-41 MP-44 MP-46 MP-47 MP-48 ME-01
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"
. "$here/lib/interop.sh"

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
        case $version in
        [3-6]*) logged "ref 6 /neu/Ton ß.wav" ;;
        *)
            logged "shared true"
            [ "$(grep -c '^copied' "$work/log")" -eq 1 ] ||
                fail "$title: more than one request has copied the files"
            ;;
        esac
    done
}

our_daw
nothing_left
tally_end
