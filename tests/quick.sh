#!/bin/sh
# SPDX-License-Identifier: MIT
# What is worth running after each change: less than a minute, if the machine is idle.
# The programs of one process, the central ones of several, two Pd tests on the
# packaged Pd. `make check` runs all.
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

# They simulate hours of sound, or each combination of all layouts.
long="test_stream test_maolan test_number"
central="test_claims test_cycle test_device test_host test_lane test_link test_modes
    test_pipes test_segment"

units=
for file in tests/unit/test_*.c; do
    name=$(basename "$file" .c)
    case " $long " in *" $name "*) ;; *) units="$units $name" ;; esac
done
sh "$here/programs.sh" build $units $central
PD=$(command -v pd || command -v puredata) PD_KIND=old \
    sh "$here/run.sh" test-box test-midi.pd

tally_end
