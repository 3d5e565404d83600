# SPDX-License-Identifier: MIT
# docs/messages.tsv to docs/messages.md: a table for each group.
BEGIN { FS = "\t" }
/^#/ { next }
{
    n++
    box[n] = $1; kind[n] = $2; word[n] = $3; atoms[n] = $4
    meaning[n] = $5; answers[n] = $6; example[n] = $7
    if (($2 == "answer" || $2 == "event") && !(($1, $3) in reply))
        reply[$1, $3] = $3 ($4 == "" ? "" : " " $4)
}
# What Markdown would take for its own, outside of backticks.
function plain(text,    parts, i, count, all) {
    count = split(text, parts, "`")
    for (i = 1; i <= count; i += 2) {
        gsub(/[*_<]/, "\\\\&", parts[i])
        gsub(/[|]/, "\\|", parts[i])
    }
    all = parts[1]
    for (i = 2; i <= count; i++)
        all = all "`" parts[i]
    return all
}
function code(text) { return "`" text "`" }
function said(i) { return word[i] (atoms[i] == "" ? "" : " " atoms[i]) }
# `a* b` as "a ... for each, then b ...".
function answer_of(i,    words, count, j, each, all) {
    count = split(answers[i], words, " ")
    for (j = 1; j <= count; j++) {
        each = sub(/\*$/, "", words[j])
        all = all (all == "" ? "" : ", ")  code(reply[box[i], words[j]]) \
            (each ? " for each" : "")
    }
    return all
}
function head(k) {
    if (k == "message")
        return "| message | what it does | answer |\n|---|---|---|"
    if (k == "flag" || k == "argument")
        return "| in the box | meaning |\n|---|---|"
    if (k == "info" || k == "stats")
        return "| key | meaning |\n|---|---|"
    return "| " k " | meaning |\n|---|---|"
}
function end_table() {
    if (examples != "")
        print "\nTo try: " examples "."
    examples = ""
}
function title(b) {
    if (b == "host")
        return "`[shmlink~]`"
    return b == "device" ? "`[shmlink~ -device]`, a patch as device" : "`[" b "]`"
}
END {
    print "# Messages, answers, events and flags"
    print ""
    print "All of them, of `[shmlink~]` in both of its roles and of `[shmreg]`. `<...>` stands for"
    print "one word, `[...]` for words that may be left out, `...` for more of the same. A name"
    print "with a space is written with `_`. Messages go to the left inlet; answers and events"
    print "come from the last outlet. This page and the tables of the help patches are made from"
    print "`docs/messages.tsv` by `make messages`."
    for (i = 1; i <= n; i++) {
        if (box[i] != box[i - 1])  {
            end_table()
            print "\n## " title(box[i])
        }
        if (kind[i] == "group") {
            end_table()
            print "\n### " word[i] "\n\n" plain(meaning[i]) "\n\n" head(kind[i + 1])
            continue
        }
        print "| " code(said(i)) " | " plain(meaning[i]) \
            (kind[i] == "message" ? " | " answer_of(i) : "") " |"
        if (kind[i] == "message" && example[i] != "")
            examples = examples (examples == "" ? "" : ", ") code(example[i])
    }
    end_table()
}
