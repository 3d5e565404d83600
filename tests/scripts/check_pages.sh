#!/bin/sh
# SPDX-License-Identifier: MIT
# The pages for readers: what they link to is there, what is made from the programs and
# the examples is up to date, and each word of an error has its row.
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

lines=$(wc -l <README.md)
if [ "$lines" -le 150 ]; then
    pass "README.md has at most 150 lines ($lines)"
else
    fail "README.md has $lines lines: move something into docs"
fi

# dangling FILE: the links of this page that lead nowhere.
dangling() {
    grep -o '](.[^)]*)' "$1" | sed 's/^](//; s/[#)].*//' | grep . |
        grep -v '^https\{0,1\}:' | while read -r link; do
        [ -e "$(dirname "$1")/$link" ] || echo "$1: $link"
    done
}
broken=$(for page in README.md CONTRIBUTING.md docs/*.md; do dangling "$page"; done)
if [ -z "$broken" ]; then
    pass "each link of the pages leads to a file"
else
    fail "links that lead nowhere: $broken"
fi
for page in docs/*.md; do
    grep -q "](${page})" README.md || fail "README.md does not link to $page"
done
echo 'see [this](nowhere.md), [that](nothing.md)' >"$work/page.md"
if [ "$(dangling "$work/page.md" | wc -l)" -eq 2 ]; then
    pass "a link that leads nowhere is seen"
else
    fail "links that lead nowhere are overlooked: $(dangling "$work/page.md")"
fi

for page in terminal.md write-a-device.md shmlink.1 shmplug.1; do
    if sh tests/pages.sh "${page%.md}" >"$work/page" &&
        cmp -s "$work/page" "docs/$page"; then
        pass "docs/$page says what the programs and the examples say"
    else
        fail "docs/$page is out of date: make pages"
    fi
done
if ! command -v man >/dev/null; then
    skip "man pages: there is no man here"
else
    for page in shmlink shmplug; do
        if LC_ALL=C.UTF-8 man --warnings=w -l docs/$page.1 >"$work/man" \
            2>"$work/warnings" && [ ! -s "$work/warnings" ]; then
            pass "man accepts $page(1)"
        else
            fail "man about $page(1): $(head -3 "$work/warnings")"
        fi
    done
fi

# Each word of an error has a row on the page about troubles.
words=$(sed -n '/^const char \*shl_status_word/,/^}/s/.*return "\([a-z_]*\)".*/\1/p' \
    src/core/values/status.c | grep -vx 'ok\|unknown')
for word in $words; do
    grep -q "^| \`$word\` |" docs/troubleshooting.md ||
        fail "docs/troubleshooting.md has no row for the word $word"
done
if [ "$(echo "$words" | wc -l)" -gt 20 ]; then
    pass "docs/troubleshooting.md has the $(echo "$words" | wc -l) words of errors"
else
    fail "src/core/values/status.c: its words are not found"
fi

# Each sentence that the externals print stands on that page, and no other does.
# unsaid PAGE: the sentences that the page lacks, and its rows that nobody says.
unsaid() {
    while IFS= read -r sentence; do
        grep -qF -e "\`$sentence\`" "$1" || echo "no row for: $sentence"
    done <"$work/sentences"
    sed -n '/^## The sentences/,/^## Noises/s/^| `\([^`]*\)`.*/\1/p' "$1" |
        while IFS= read -r sentence; do
            grep -qxF -e "$sentence" "$work/sentences" ||
                echo "no source says: $sentence"
        done
}
LC_ALL=C awk -f tests/sentences.awk src/pd/*.c src/pd/*/*.c >"$work/sentences"
unsaid docs/troubleshooting.md >"$work/unsaid"
if [ -s "$work/unsaid" ]; then
    fail "docs/troubleshooting.md: $(cat "$work/unsaid")"
elif [ "$(wc -l <"$work/sentences")" -gt 80 ]; then
    pass "docs/troubleshooting.md has the $(wc -l <"$work/sentences") sentences of src/pd"
else
    fail "tests/sentences.awk finds only $(wc -l <"$work/sentences") sentences"
fi
sed '/^| `no answer in 30 s`/s/30/40/' docs/troubleshooting.md >"$work/page.md"
if [ "$(unsaid "$work/page.md" | wc -l)" -eq 2 ]; then
    pass "a sentence without a row and a row without a sentence are seen"
else
    fail "a changed sentence is overlooked: $(unsaid "$work/page.md")"
fi
tally_end
