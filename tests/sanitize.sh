#!/bin/sh
# SPDX-License-Identifier: MIT
# The cmocka programs under the address and undefined sanitizers, and those with
# two threads under the thread sanitizer. `make sanitize` has built them.
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
cd "$root" || exit 2
. "$here/lib/tally.sh"

# Programs that cannot run under a sanitizer: they are about being preloaded.
not_here="test_rtwatch"
# Those in which threads meet.
threads="test_mpsc test_seqlock_threads test_stream_threads test_ring test_registry test_board test_cycle
    test_segment test_host test_message_queue test_requester test_monitor
    test_ring_tap test_plug test_plug_board test_plugin
    test_plugin_hazards test_plugin_start test_free test_free_claims test_free_events
    test_free_taps test_observer test_plugin_host
    test_plugin_host_blocks test_plugin_host_requests test_message_thread
    test_taps test_modes test_priority test_reblock test_pipes test_many
    test_watch test_bye"

names() { # folder
    for program in "$1"/tests/test_*; do
        case $program in *.o | *.d) continue ;; esac
        name=$(basename "$program")
        case " $not_here " in *" $name "*) continue ;; esac
        echo "$name"
    done
}

ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 \
    UBSAN_OPTIONS=print_stacktrace=1 LABEL="[address] " LIMIT=400 \
    sh "$here/programs.sh" build/asan $(names build/asan)

found=
for name in $threads; do
    [ -x "build/tsan/tests/$name" ] && found="$found $name"
done
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 LABEL="[thread] " \
    LIMIT=400 sh "$here/programs.sh" build/tsan $found

tally_end
