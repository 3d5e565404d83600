#!/bin/sh
# SPDX-License-Identifier: MIT
# DAWs on the published crates of the Maolan plugin protocol (tests/interop) with
# our shmplug.  check_interop.sh [part of a title]
# shows MP-07b MP-09 MP-10 MP-11 MP-12 MP-13 MP-14 MP-21 MP-23 MP-25 MP-27 MP-29
# shows MP-30 MP-31 MP-32 MP-33 MP-41 MP-44 MP-46 MP-48
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"
. "$here/lib/interop.sh"

under_their_daw() {
    for version in $versions; do
        case_of "their DAW, our shmplug, version $version" || continue
        lead $version tests/interop/fixture.script "$root/shmplug"
    done
}

under_their_daw
nothing_left
tally_end
