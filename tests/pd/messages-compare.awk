# SPDX-License-Identifier: MIT
# docs/messages.tsv and what the patch of messages.awk printed: each reply is a row of
# the box, with its atoms, and each example has the answers of its row. With `wrong`,
# each message is answered by one error, which has the words and what to type.
BEGIN { FS = "\t" }
FNR == NR && /^#/ { next }
FNR == NR {
    if ($1 == box && ($2 == "answer" || $2 == "event"))
        shape[$3, shapes[$3]++] = $4
    if ($1 == box && $2 == "message")
        answers["message " $3] = $6
    next
}
# Atoms and the words behind the selector, from the first on.
function fits(atoms, words, count,    want, n, i, one, least, most) {
    n = 0
    while (match(atoms, /<[^>]*>|\[[^]]*\]|[^ ]+/)) {
        one = substr(atoms, RSTART, RLENGTH)
        atoms = substr(atoms, RSTART + RLENGTH)
        if (one == "..." || (one == "<text>" && atoms == ""))
            most = 1e9
        if (one ~ /^\[/) {
            most++
        } else if (one != "...") {
            least++
            most++
        }
        n++
        if (one == "<1 or 0>" && words[n] !~ /^[01]$/ || \
            one == "<out or in>" && words[n] !~ /^(out|in)$/ || \
            one !~ /^[<[.]/ && words[n] != one)
            return 0
    }
    return count >= least && count <= most
}
{ gsub(/\\ /, "_") }
/^mark: / {
    mark = substr($0, 7)
    if (mark == "-")
        finish()
    else if (mark != "end")
        begin(mark)
    next
}
/^reply: / {
    count = split(substr($0, 8), part, / /)
    for (i = 2; i <= count; i++)
        word[i - 1] = part[i]
    ok = 0
    for (i = 0; i < shapes[part[1]]; i++)
        ok += fits(shape[part[1], i], word, count - 1)
    # a request that failed says so with its own selector, see the group Answers
    if (wrong_words && now == "message " part[1] && count == 2 && word[1] == "0")
        ok = 1
    if (!ok)
        wrong("no row has this: " substr($0, 8))
    seen[part[1]] = 1
    if (now == "event " part[1] || part[1] in late)
        came[part[1]] = 1
    if (wrong_words && part[1] == "error" && now == "message " part[2]) {
        errors++
        if ($0 !~ /bad|7\.5/ || $0 !~ /_(type|write|leave)_/)
            wrong("the words, or what to type, is not said: " $0)
    } else if (part[1] == "error" && now != "") {
        wrong(now ": " $0)
    }
    replies++
}
function wrong(text) { print "FAIL " substr(text, 1, 200); bad++ }
function begin(word,    i) {
    now = word
    errors = 0
    for (i in seen)
        delete seen[i]
}
function finish(    one, n, i) {
    if (now ~ /^event /) # some come later, from another thread
        late[substr(now, 7)] = 1
    n = now ~ /^event / || wrong_words ? 0 : split(answers[now], one, " ")
    if (wrong_words && errors != 1)
        wrong(now ": " errors + 0 " errors")
    for (i = 1; i <= n; i++) {
        if (sub(/\*$/, "", one[i]) && one[i] == "note_name")
            continue # a plugin may have none
        if (now == "message watch")
            continue # by another thread, later
        if (!(one[i] in seen))
            wrong(now " was not answered by " one[i])
    }
    examples++
    now = ""
}
END {
    for (one in late) {
        if (!(one in came))
            wrong("the event " one " did not come")
    }
    if (examples < least)
        wrong("only " examples + 0 " examples")
    if (!bad)
        print "ok " name ": " examples " examples, " replies " replies as documented"
    exit bad > 0
}
