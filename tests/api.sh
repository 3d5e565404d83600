#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/API.md from the docstrings of the public headers:  api.sh >API.md
# A public call without one, or one that names no thread, is an error.
cd "$(dirname "$0")/../include/shmlink" || exit 2

cat <<'TEXT'
# The calls of libshmlink

Made by `make api` from the headers that `shmlink-plugin.h` includes; do not edit.

* **Thread.** *audio*: may be called in the audio path, by one thread at a time
  for one object; no allocation, no lock, no system call but the wake-up and the
  bounded wait. *control*: may take its time; not in the audio path. *any*: both.
* **Ownership.** What a `_new` or `_open` gives is yours until its `_free` or
  `_close`. What you pass in stays yours and is read during the call only, unless
  the call says otherwise. Pointers that you get are not yours to free.
* **Errors.** `SHL_OK` is 0. On failure outputs are untouched unless the call says
  otherwise; `shl_status_text` has a sentence for each status, and a `struct
  shl_why` the whole story.
* **Units.** Audio is planes of `float`, full scale 1; channels and ports count
  from 0. Other units are in the name: `_frames`, `_hz`, `_ms`, `_ns`.
TEXT

files=$(sed -n 's/^#include "\(.*\)"/\1/p' shmlink.h shmlink-plugin.h |
    grep -v '^shmlink\.h$' | sort)
# shellcheck disable=SC2086
awk '
function escaped(text) {
    gsub(/[*<|]/, "\\\\&", text)
    return text
}

# The words in [..] at the end of a docstring, without the brackets.
function thread_of(doc) {
    if (!match(doc, /\[(audio|control|any)[^]]*\]/))
        return ""
    return substr(doc, RSTART + 1, RLENGTH - 2)
}

function add(list, word) {
    if (index(", " list ", ", ", " word ", "))
        return list
    return list == "" ? word : list ", " word
}

function errors_of(doc,    list) {
    list = ""
    while (match(doc, /SHL_[A-Z_]+[A-Z]/)) {
        word = substr(doc, RSTART, RLENGTH)
        doc = substr(doc, RSTART + RLENGTH)
        if (word in statuses)
            list = add(list, "`" word "`")
    }
    return list
}

function units_of(text,    list) {
    list = ""
    if (text ~ /frames|offset|latency/)
        list = add(list, "frames")
    if (text ~ /_ms|uint32_t ms/)
        list = add(list, "ms")
    if (text ~ /_ns/)
        list = add(list, "ns")
    if (text ~ /_hz/)
        list = add(list, "Hz")
    if (text ~ /beats/)
        list = add(list, "quarter notes")
    if (text ~ /size/)
        list = add(list, "bytes")
    return list
}

function ownership_of(text,    type, list) {
    list = ""
    if (match(text, /shl_[a-z]+ \*\*/)) {
        type = substr(text, RSTART, RLENGTH - 3)
        list = "gives a `" type "`, yours until `" ender(type) "`"
    } else if (text ~ /(_free|_close)\(/) {
        list = "takes it back"
    } else if (text ~ /^(const |struct )*[a-z_0-9]+ \*/) {
        list = "the result is not yours"
    }
    return list
}

function ender(type) {
    return (type "_free") in names ? type "_free" : type "_close"
}

function finish(    i) {
    if (count == 0)
        return
    thread = thread_of(doc)
    if (doc == "" || thread == "") {
        print "api: " file ": " name[1] (doc == "" ? " has no docstring" \
            : " does not say on which thread") >"/dev/stderr"
        bad = 1
    }
    total++
    head[total] = file
    threads[total] = thread
    docs[total] = doc
    fails[total] = errors_of(doc)
    for (i = 1; i <= count; i++) {
        names[name[i]] = 1
        titles[total] = add(titles[total], "`" name[i] "`")
        protos[total] = protos[total] proto[i] "\n"
    }
    count = 0
}

# The body of a static inline function is no part of what it promises.
function declared(text,    clean) {
    if (sub(/^SHL_RT /, "", text))
        gsub(/\n       /, "\n", text)
    if (sub(/^static inline /, "", text))
        gsub(/\n              /, "\n", text)
    sub(/^static inline\n/, "", text)
    sub(/ *\{.*$/, ";", text)
    clean = text
    if (!match(clean, /shl_[a-z0-9_]+\(/))
        return
    proto[++count] = text
    name[count] = substr(clean, RSTART, RLENGTH - 1)
}

function end_of_file() {
    finish()
    doc = intro = ""
    state = ""
    part = ""
}

FNR == 1 {
    end_of_file()
    skip = 0
    file = FILENAME
    files[++file_count] = file
}

FILENAME == "status.h" && /^    SHL_[A-Z_]*[ ,]/ {
    word = $1
    sub(/[,=].*/, "", word)
    statuses[word] = word != "SHL_OK"
    if (word == "SHL_OK")
        delete statuses[word]
}

/SPDX-License-Identifier/ { next }

# The comment at the top says what the file is for.
state == "" && /^\/\*/ { state = "intro" }
state == "intro" {
    line = $0
    done = line ~ /\*\/$/
    sub(/ *\*\/$/, "", line)
    sub(/^(\/\*| \*)[ ]?/, "", line)
    intros[file] = intros[file] line "\n"
    if (done)
        state = "code"
    next
}

# What only the roles call is not for others.
/^\/\* ---- / {
    finish()
    doc = ""
    skip = /for the roles/
}
/^#ifdef __cplusplus/ { skip = skip && file == last }
skip { next }

state == "code" && /^\/\*\*/ {
    finish()
    doc = ""
    state = "doc"
}
state == "doc" {
    line = $0
    done = line ~ /\*\/$/
    sub(/ *\*\/$/, "", line)
    sub(/^(\/\*\*| \*)[ ]?/, "", line)
    doc = doc line "\n"
    if (done)
        state = "code"
    next
}

/weak/ { doc = ""; next }
state == "body" {
    if (/^}/)
        state = "code"
    next
}
/^(typedef|enum|struct [a-z_]+ \{)/ { finish(); doc = ""; if (/;$/) next }
state == "code" && /^[a-zA-Z].*shl_[a-z0-9_]+\(/ || part != "" {
    part = part == "" ? $0 : part "\n" $0
    if (/[;{]$/ || /^\{$/) {
        body = /\{$/
        if (part !~ /^typedef/ && part !~ /shl_rt(_rest)?\(/)
            declared(part)
        part = ""
        if (body)
            state = "body"
    } else if (/\)$/) {
        # a static inline function: its brace stands on the next line
        if (part !~ / shl_rt(_rest)?\(/)
            declared(part ";")
        part = ""
        state = "body"
    }
    next
}
/^shl_status$|^[a-z].* \*$/ { part = $0; next }
/^$/ { finish(); if (state == "code") doc = "" }

END {
    end_of_file()
    for (f = 1; f <= file_count; f++) {
        rows = 0
        for (i = 1; i <= total; i++)
            rows += head[i] == files[f]
        if (!rows)
            continue
        sub(/\n+$/, "", intros[files[f]])
        printf "\n## %s\n\n%s\n", files[f], escaped(intros[files[f]])
        for (i = 1; i <= total; i++) {
            if (head[i] != files[f])
                continue
            printf "\n### %s\n\n```c\n%s```\n\n", titles[i], protos[i]
            text = docs[i]
            sub(/[ \n]*\[(audio|control|any)[^]]*\]/, "", text)
            gsub(/@param +/, "@param ", text)
            sub(/\n+$/, "", text)
            n = split(text, lines, "\n")
            for (k = 1; k <= n; k++) {
                line = escaped(lines[k])
                if (line ~ /^@param /) {
                    sub(/^@param /, "", line)
                    sub(/^[a-z_]+/, "`&`:", line)
                    line = "* " line
                } else {
                    sub(/^@return /, "* Returns ", line)
                }
                sub(/^    +/, "  ", line)
                print line
            }
            line = "\n*Thread:* " threads[i] "."
            own = ownership_of(protos[i])
            units = units_of(protos[i])
            if (own != "")
                line = line " *Ownership:* " own "."
            if (units != "")
                line = line " *Units:* " units "."
            if (fails[i] != "")
                line = line " *Errors:* " fails[i] "."
            print line
        }
    }
    exit bad
}' status.h $(echo "$files" | grep -v '^status.h$')
