#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/FEATURES.md from tests/features.tsv and from what the tests say that they
# show:  features.sh [folder of the tests] >FEATURES.md
#
#   /* shows DL-23 DL-25 */    on the line above a cmocka test, or anywhere in a
#                              program that is no cmocka test
#   # shows DL-12              in a script, in its opening comment
#   ... shows DL-28;           at the end of a text in a Pd patch
#
# A row that nobody shows and nothing brings, an id that is none, and a test that
# is not run are errors.
cd "${1:-$(dirname "$0")}" || exit 2

cat <<'TEXT'
# Features

What the systems before this one do, row by row, and which test shows that this
one does it: DL discoLink, MP the Maolan plugin protocol, ME the engine that uses
it. Made by `make features` from `features.tsv` and the tests; do not edit. Tests
are `program: test` in `tests/unit` and `tests/process`, else a file in `tests`.

| row | what | shown by |
|---|---|---|
TEXT

awk '
BEGIN { id = "(DL|MP|ME)-[0-9]+b?" }

function bad(text) {
    print "features: " text >"/dev/stderr"
    wrong = 1
}

function note(text, where,    n, words, i) {
    sub(/^.*shows /, "", text)
    n = split(text, words, " ")
    for (i = 1; i <= n; i++) {
        if (!(words[i] in title))
            bad(where ": " words[i] " is no row of features.tsv")
        else
            shown[words[i]] = shown[words[i]] ", `" where "`"
    }
}

FILENAME == "features.tsv" {
    if ($0 ~ /^#/)
        next
    split($0, field, "\t")
    order[++rows] = field[1]
    title[field[1]] = field[2]
    later[field[1]] = field[3]
    next
}

FNR == 1 {
    if (pending != "")
        bad(last ": a comment stands above no test")
    pending = ""
    unit = FILENAME ~ /\/test_.*\.c$/
    last = FILENAME
    program = FILENAME
    sub(/\.c$/, "", program)
    sub(/.*\//, "", program)
}

pending != "" {
    if (match($0, /^static void [a-z_0-9]+\(/)) {
        name = substr($0, RSTART + 12, RLENGTH - 13)
        note(pending, program ": " name)
        wanted[program ": " name] = 1
    } else {
        bad(FILENAME ":" FNR ": a comment stands above no test")
    }
    pending = ""
}

# A test counts when it is in the list of those that are run.
unit && !/^static/ {
    line = $0
    while (match(line, /[a-z_0-9]+[,)]/)) {
        run[program ": " substr(line, RSTART, RLENGTH - 1)] = 1
        line = substr(line, RSTART + RLENGTH)
    }
}

match($0, "shows " id "( " id ")*") {
    text = substr($0, RSTART, RLENGTH)
    if (FILENAME ~ /\.sh$/ && !/^# /)
        next
    if (unit && $0 ~ /^\/\* /)
        pending = text
    else
        note(text, FILENAME)
}

END {
    for (test in wanted)
        if (!(test in run))
            bad(test " is not run")
    for (i = 1; i <= rows; i++) {
        row = order[i]
        where = substr(shown[row], 3)
        rest = later[row]
        if (where == "" && rest == "-")
            bad(row " is shown by no test, and nothing brings it")
        if (where == "")
            where = "comes " rest
        else if (rest != "-")
            where = where "; the rest comes " rest
        printf "| %s | %s | %s |\n", row, title[row], where
    }
    exit wrong
}' features.tsv unit/*.c process/*.c fuzz/*.c scripts/*.sh m32.sh \
    pd/test-*.sh pd/test-*.pd
