# SPDX-License-Identifier: MIT
# For check_interop*.sh, to be sourced after tally.sh: builds the peers of the
# other side (tests/interop), or ends the script as skipped; leads their DAWs.
# `version` is one of $versions, a program each. The words of the script are a
# part of the titles that are wanted.
built=$root/build/interop/debug
ours=${BUILD:-build}
versions="3 4 5 6-b8 6-b16 7-18 7-19 8"
many=100 limit=1400 # only a hang is that slow
[ -z "${SHL_SOAK:-}" ] || many=20000 limit=6000
work=$(mktemp -d)
ls /dev/shm 2>/dev/null | sort >"$work/before"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# As the first column of tests/offsets.tsv names it.
table_name() {
    case $1 in
    6-b8) echo 6-0.0.16 ;;
    6-b16) echo 6-0.0.17 ;;
    7-18) echo 7-0.0.18 ;;
    7-19) echo 7-0.0.19 ;;
    *) echo "$1" ;;
    esac
}

wanted=$*
case_of() { # title; true if it is to be run
    title=$*
    case $title in *"$wanted"*) return 0 ;; esac
    return 1
}

# Lead the DAW of a version by a script. Before each `audio` it goes over to
# another way of waiting for its blocks, where its version has several.
lead() { # version script program
    : >"$work/log"
    ways=byte
    case $1 in 7-19 | 8*) ways="both counter byte" ;; esac
    awk -v ways="$ways" '$1 == "audio" {
            count = split(ways, way, " ")
            if (started && count > 1)
                print "wait " way[n++ % count + 1]
        }
        { print }
        $1 == "start" || $2 == "start" { started = 1 }' "$2" |
        sed "s|PROGRAM|$3|; s|NAME|Gerät $(table_name "$1")|; s|MANY|$many|" |
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

nothing_left() {
    title="no segment is left"
    if [ "$SHL_APART" != yes ]; then
        skip "$title: other programs share /dev/shm here"
        return
    fi
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
