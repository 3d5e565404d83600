#!/bin/sh
# SPDX-License-Identifier: MIT
# Plugin hosts of the other side (tests/interop) from Pd, one per layout: told
# by their own words, asked for all they offer, played, and heard.
# shows MP-11 MP-29 MP-30 MP-31 MP-32 MP-46 MP-47
. "$here/pd/pd.sh"
sh "$here/interop/build.sh" || exit $?

PEER_WISHES=refs=2,latency=64,state=3
PEER_LOG=$work/peer
export PEER_WISHES PEER_LOG

play() { # version flags log
    ask_patch "$work/ask.pd" \
        "shmlink~ -host $root/build/interop/debug/peer-$1 $2 clap:x 2 2" \
        port_counts param_count "param_info 0" note_names file_list \
        "file_set 3 /neu" file_list "resource_dir /some/where 1" \
        file_collect \
        program_data_get "program_data_set 1 2 3 4" program_data_get "vis 1" \
        "!pd dsp 1" "~40" "midi_note 1 60 100" "midi_note 17 60 100" "~40" \
        "param_plain 2 1" "~40" "param_plain 1 640" "~40" "tempo 99" "~40"
    timeout -k 2 500 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio -r 48000 \
        -stderr -path "$root" -open "$work/ask.pd" </dev/null >"$3" 2>&1
    sed 's/^error: /said: /' "$3"
}

# What each version says, in order.
wanted() { # version
    ports=16
    [ "$1" = 3 ] && ports=1
    cat <<END
open 1 clap:x
port_counts 2 2 $ports $ports
END
    [ "$1" = 3 ] || cat <<END
param_count 5
param_info 0 gain  1 0 4 1
note_name 1 36 Kick
note_name 1 60 C
note_name 1 127 Größe
note_names 3
END
    [ "$1" != 3 ] || cat <<END
param_count 0
param_info 0 0  1 0 1 0 0 1 -
note_names 0
error note_names unsupported
END
    cat <<END
file 0 /sounds/Geräusch_0_ø.wav
file 3 /sounds/Geräusch_1_ø.wav
file_list 2
END
    [ "$1" -ge 7 ] 2>/dev/null && cat <<END
file_set 0
error file_set unsupported
file 0 /sounds/Geräusch_0_ø.wav
file 3 /sounds/Geräusch_1_ø.wav
END
    [ "$1" -ge 7 ] 2>/dev/null || cat <<END
file_set 1
file 0 /sounds/Geräusch_0_ø.wav
file 3 /neu
END
    cat <<END
file_list 2
resource_dir 1
END
    if [ "$1" -ge 7 ] 2>/dev/null; then
        echo "file_collect 1"
    else
        printf 'file_collect 0\nerror file_collect unsupported\n'
    fi
    cat <<END
program_data 0 7 14
program_data_set 1
program_data 1 2 3 4
midi 144 61 100
END
    # without a table a number is an id, and nothing says how far it goes
    if [ "$1" = 3 ]; then
        printf 'param_automated 2 1 1\nparam_automated 1 640 640\n'
    else
        printf 'midi 144 61 100 2\n'
        printf 'param_automated 2 1 1\nparam_automated 1 0.15625 640\n'
    fi
}

# Numbers 4 to 6 are told: no program shows them.
for version in 3 5 6-b16 8; do
    told=
    case $version in [4-6]*) told="-protocol ${version%-*}" ;; esac
    play $version "$told" "$work/log-all"
    # comes when it is looked for
    sed '/^reply: dirty 1$/d' "$work/log-all" >"$work/log-$version"
    [ $version = 3 ] || grep -q '^reply: dirty 1$' "$work/log-all" ||
        echo "FAIL $version: no dirty"
    wanted $version |
        matches "their plugin host, version $version" "$work/log-$version"
    case $version in
    3) frames=0 ;;
    *) frames=640 ;;
    esac
    same "latency, version $version" "$(sed -n 's/^reply: latency //p' \
        "$work/log-$version" | tail -1)" $frames
    changed="ref 3 /neu"
    [ $version != 8 ] || changed=copied
    for line in "resources /some/where" "$changed" "block 64 2 2"; do
        grep -qxF "$line" "$work/peer" || echo "FAIL $version never heard $line"
    done
    grep -q '^transport [0-9]* 99 4 4 0 48000$' "$work/peer" ||
        echo "FAIL $version never heard of the tempo"
    rm -f "$work/peer"
done

# Segments of DAWs (the number behind `maolan-`) that are no more. Other tests
# run beside this one, and what just ends has a moment.
left_behind() {
    for name in $(ls /dev/shm | grep '^maolan-'); do
        daw=${name#maolan-}
        [ -d "/proc/${daw%%-*}" ] || echo "$name"
    done
}
left=$(left_behind)
for look in 1 2 3 4 5; do
    [ -n "$left" ] || break
    sleep 1
    left=$(left_behind)
done
[ -z "$left" ] || { echo "FAIL segments left:" $left; exit 1; }
exit $bad
