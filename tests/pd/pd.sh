# For the tests that are shell scripts: Pd, devices, waiting. To be sourced;
# run.sh has set PD, root, here, SHMLINK and a registry of the test's own. All
# that is started here ends with the script.
started=
mirror=$root/build/tests/mirror
work=$(mktemp -d)

end_all() {
    for p in $started; do
        kill "$p" 2>/dev/null
    done
    for p in $started; do
        wait "$p" 2>/dev/null
    done
    started=
    rm -rf "$work"
}
trap end_all EXIT
trap 'exit 130' INT TERM

# start WORDS...: in the background, for a minute at most; its id in $last.
start() {
    timeout -k 2 60 "$@" </dev/null &
    last=$!
    started="$started $last"
}

# ready ID: until the board shows it.
ready() {
    "$SHMLINK" wait "$1" --timeout 20 >/dev/null || exit 1
}

mirror() { # name rate [word]
    [ -x "$mirror" ] || { echo "make programs builds what this needs"; exit 77; }
    start "$mirror" "$@"
    ready "$1"
}

# batch PATCH [more words]: as the runner does it.
batch() {
    b_patch=$1
    shift
    timeout -k 2 40 "$PD" -nogui -batch -nrt -noprefs -nomidi -noaudio \
        -r 48000 -stderr -path "$root" -path "$root/abstractions" \
        -path "$here/lib" "$@" -open "$here/pd/$b_patch" </dev/null 2>&1
}

# live PATCH: in real time.
live() {
    timeout -k 2 50 "$PD" -nogui -nrt -noprefs -nomidi -noaudio -sleepgrain 1 \
        -r 48000 -stderr -path "$root" -path "$root/abstractions" \
        -path "$here/lib" -open "$1" </dev/null 2>&1
}

# start_live PATCH LOG: the same in the background.
start_live() {
    start "$PD" -nogui -nrt -noprefs -nomidi -noaudio -sleepgrain 1 \
        -r 48000 -stderr -path "$root" -path "$root/abstractions" \
        -path "$here/lib" -open "$1" >"$2" 2>&1
}

# until_line FILE TEXT: until the file has it, 20 s at most.
until_line() {
    u_left=400
    while ! grep -qF -- "$2" "$1" 2>/dev/null; do
        u_left=$((u_left - 1))
        [ "$u_left" -gt 0 ] || { echo "FAIL never said: $2"; return 1; }
        sleep 0.05
    done
}

# same NAME A B: one verdict.
same() {
    if [ "$2" = "$3" ]; then echo "ok $1"; else echo "FAIL $1: $2, not $3"; bad=1; fi
}
bad=0
