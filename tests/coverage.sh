#!/bin/sh
# SPDX-License-Identifier: MIT
# Which lines of src/core the cmocka programs run: in each room, and in all; with -v
# also in each file. `make coverage` has built them. Ends with 1 below 90 %.
#
# Programs that are killed, which some tests are about, do not say what they ran: the
# figures are a little too low.
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

wanted=90
folder=build/coverage
find "$folder" -name '*.gcda' -exec rm -f {} +
LABEL="[coverage] " sh "$here/programs.sh" "$folder"

for notes in "$folder"/core/*/*.gcno; do
    gcov -n -o "$notes" "$notes" 2>/dev/null |
        awk -v room="$(basename "$(dirname "$notes")")" '
            /^File / { file = $2; gsub("\047", "", file) }
            /^Lines executed/ && file ~ /^src\/core\/.*[.]c$/ {
                sub(/^Lines executed:/, ""); sub(/%/, "")
                print room, file, $1, $3
                file = ""
            }'
done | awk -v wanted="$wanted" -v each="${1:-}" '
    {
        ran = $3 * $4 / 100
        room_ran[$1] += ran; room_all[$1] += $4
        all_ran += ran; all += $4
        if (each == "-v")
            printf "%6.1f %% of %5d  %s\n", $3, $4, $2
    }
    END {
        for (room in room_all)
            printf "%6.1f %% of %5d  src/core/%s\n",
                100 * room_ran[room] / room_all[room], room_all[room],
                room | "sort -k 5"
        close("sort -k 5")
        if (all == 0) {
            print "coverage: no figures"
            exit 1
        }
        printf "coverage: %.1f %% of the %d lines of src/core (wanted: %d %%)\n",
            100 * all_ran / all, all, wanted
        exit 100 * all_ran / all < wanted
    }'
covered=$?
tally_end && [ "$covered" -eq 0 ]
