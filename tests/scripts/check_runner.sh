# SPDX-License-Identifier: MIT
# The runners themselves must be able to fail: patches and programs that are
# wrong in one way each, in a tree of their own, and every one has to be red.
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/tests/pd" "$tree/bin/tests"
cp -r "$here/run.sh" "$here/programs.sh" "$here/lib" "$tree/tests"
ln -s "$root/shmlink" "$tree/shmlink"
for file in "$root"/*.pd_linux; do
    ln -s "$file" "$tree"
done

# A patch that bangs its last line: name, object that gets the bang, plan.
patch() {
    cat >"$tree/tests/pd/test-$1.pd" <<PATCH
#N canvas 0 0 400 200 12;
#X obj 10 10 loadbang;
#X msg 10 40 5;
#X obj 10 70 $2;
#X obj 10 100 $3;
#X connect 0 0 1 0;
#X connect 1 0 2 0;
PATCH
}

# Own counts: what is red here must not be red out there.
run() { # script arguments
    (unset TALLY; sh "$tree/tests/$@" 2>&1)
}

verdict() { # what, wanted status of the runner, words in its output
    output=$tree/output
    if [ "$status" -ne "$2" ]; then
        fail "$1: the runner ended with $status"
        cat "$output"
    elif ! grep -q "$3" "$output"; then
        fail "$1: the runner does not say \"$3\""
        cat "$output"
    else
        pass "$1"
    fi
    rm -f "$tree"/tests/pd/*
}

PD=$(command -v pd || command -v puredata)
LIMIT=300 # what hangs has less
export PD LIMIT

patch good "t-check five 5 0" "t-plan 1 10"
run run.sh >"$tree/output"; status=$?
verdict "a good patch is green" 0 "^1 passed, 0 failed, 0 skipped$"

patch wrong "t-check five 4 0.5" "t-plan 1 10"
run run.sh >"$tree/output"; status=$?
verdict "a wrong number is red" 1 "FAIL five wanted 4 +- 0.5 got 5"

patch message "t-expect word five" "t-plan 1 10"
run run.sh >"$tree/output"; status=$?
verdict "a wrong message is red" 1 "FAIL word got 5"

patch silent "t-check five 5 0" "t-plan 2 10"
run run.sh >"$tree/output"; status=$?
verdict "a check that does not come is red" 1 "plan 2 ran and failed: 1 0"

patch absent "nosuchobject" "t-plan 0 10"
run run.sh >"$tree/output"; status=$?
verdict "a missing object is red" 1 "couldn't create"

patch endless "t-check five 5 0" "metro 1000"
LIMIT=3
run run.sh >"$tree/output"; status=$?
LIMIT=300
verdict "a patch without an end is red" 1 "it took longer than 3 s"

patch early "t-check five 5 0" "t-plan 1 10"
sed -i 's/t-plan 1 10/bng/; s/msg 10 40 5/msg 10 40 \\; pd quit/' \
    "$tree/tests/pd/test-early.pd"
run run.sh >"$tree/output"; status=$?
verdict "a patch that quits without a verdict is red" 1 "no verdict"

patch unsaid "t-check five 5 0" "t-plan 1 10"
echo "an error that does not come" >"$tree/tests/pd/test-unsaid.expect"
run run.sh >"$tree/output"; status=$?
verdict "an announced error that does not come is red" 1 "missing line"

patch said "shmlink~ -nosuchflag" "t-plan 0 10"
run run.sh >"$tree/output"; status=$?
verdict "an error line is red" 1 "nosuchflag"

run run.sh >"$tree/output"; status=$?
verdict "no test at all is red" 1 "there is no Pd test"

program() { # name, words
    printf '#!/bin/sh\n%s\n' "$2" >"$tree/bin/tests/test_$1"
    chmod +x "$tree/bin/tests/test_$1"
    run programs.sh "$tree/bin" "test_$1" >"$tree/output"
    status=$?
}

program good 'echo "ok 1 - a"; echo "ok 2 - b"'
verdict "a good program is green" 0 "^2 passed, 0 failed, 0 skipped$"
program red 'echo "ok 1 - a"; echo "not ok 2 - b"; exit 1'
verdict "a failing test is red" 1 "^1 passed, 1 failed, 0 skipped$"
program crash 'echo "ok 1 - a"; kill -SEGV $$'
verdict "a crash is red" 1 "^1 passed, 1 failed, 0 skipped$"
LIMIT=3
program hang 'echo "ok 1 - a"; sleep 1000'
LIMIT=300
verdict "a hang is red" 1 "it took longer than 3 s"
program empty 'exit 0'
verdict "a program without tests is red" 1 "it ran no test"
tally_end
