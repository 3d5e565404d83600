# SPDX-License-Identifier: MIT
# tests/FEATURES.md is what the tests say, and whatever is wrong there is seen.
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/lib/tally.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

if sh "$here/features.sh" >"$work/page" 2>"$work/why"; then
    pass "each row is shown by a test, or is said to come"
else
    fail "features.sh: $(head -n 3 "$work/why")"
fi
if cmp "$work/page" "$here/FEATURES.md" >/dev/null 2>&1; then
    pass "tests/FEATURES.md is what the tests say"
else
    fail "tests/FEATURES.md is out of date: make features"
fi

# sees WORDS: in a copy that is wrong in one way. The copy is made anew.
sees() {
    if sh "$here/features.sh" "$work/tests" 2>&1 >/dev/null | grep -q -- "$1"
    then
        pass "it sees: $1"
    else
        fail "it does not see: $1"
    fi
    copy
}
copy() {
    rm -rf "$work/tests"
    mkdir "$work/tests"
    (cd "$here" && cp -r unit process fuzz scripts pd *.sh features.tsv "$work/tests")
}
copy
echo "/* shows DL-99 */" >>"$work/tests/process/race_claim.c"
sees "race_claim.c: DL-99 is no row"
printf 'DL-61\tsomething else\t-\n' >>"$work/tests/features.tsv"
sees "DL-61 is shown by no test, and nothing brings it"
sed -i '/cmocka_unit_test(message_has/d' "$work/tests/process/test_sharing.c"
sees "message_has_256_bytes is not run"
sed -i 's/^static void message_has/static int message_has/' \
    "$work/tests/process/test_sharing.c"
sees "test_sharing.c:[0-9]*: a comment stands above no test"
tally_end
