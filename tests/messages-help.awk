# SPDX-License-Identifier: MIT
# docs/messages.tsv and a help patch to the same patch with new tables. These
# subpatches are written anew, where the patch has them: all-messages, arguments,
# message-out; and the list of messages in META. Set `patch` to the file's name.
#
# Pd breaks text at a number of characters, so the height of a row is known.
BEGIN {
    FS = "\t"
    of_shmreg = patch ~ /shmreg/
}

# ---- the table -----------------------------------------------------------------

FNR == NR && /^#/ { next }
FNR == NR {
    n++
    box[n] = $1; kind[n] = $2; word[n] = $3; atoms[n] = $4
    meaning[n] = $5; answers[n] = $6; example[n] = $7
    gsub(/`/, "", meaning[n])
    next
}

# ---- text in Pd ------------------------------------------------------------------

# Commas and dollars as a file has them; a semicolon would break the line, so it
# ends the sentence.
function words_of(text,    at, next_word) {
    while ((at = index(text, "; "))) {
        next_word = substr(text, at + 2)
        if (next_word !~ /^[a-z]*[_ ]?[a-z]*_/)
            next_word = toupper(substr(next_word, 1, 1)) substr(next_word, 2)
        text = substr(text, 1, at - 1) ". " next_word
    }
    return text
}
function escaped(text) {
    gsub(/\$/, "\\$", text)
    gsub(/,/, " \\,", text)
    return text
}
function label(text) {
    gsub(/,/, "\\,", text)
    gsub(/ /, "\\ ", text)
    return text == "" ? "empty" : text
}
function lines_of(text, width,    part, count, i, used, lines) {
    count = split(text, part, " ")
    lines = 1
    used = -1
    for (i = 1; i <= count; i++) {
        if (used + 1 + length(part[i]) > width && used >= 0) {
            lines++
            used = length(part[i])
        } else {
            used += 1 + length(part[i])
        }
    }
    return lines
}
function most(a, b) { return a > b ? a : b }

# ---- pages: collected, then printed with the height that they got -----------------

function put(line) { page = page line ";\n"; objects++ }
function text_at(x, y, text, width) {
    if (text != "")
        put("#X text " x " " y " " escaped(text) ", f " width)
}
function bar(x, y, width, height, text, colour) {
    put("#X obj " x " " y " cnv 12 " width " " height " empty empty " \
        label(text) " 6 " int(height / 2) " 0 12 " colour " #202020 0")
}
function page_begin(name, subtitle) {
    page = ""
    objects = 0
    page_name = name
    put("#X obj 3 3 cnv 12 772 31 empty empty " label(name) \
        " 8 15 0 16 #d6d9dc #202020 0")
    text_at(34 + 10 * length(name), 8, subtitle, 70)
    y = 44
    striped = 0
}
function page_end(x, at,    all) {
    all = "#N canvas 80 30 780 " (y + 20) " " page_name " 0;\n" page
    return all "#X restore " x " " at " pd " page_name ";\n"
}
# Columns at these places, this many characters wide.
function columns(a, wa, b, wb, c, wc) {
    col[1] = a; wide[1] = wa; col[2] = b; wide[2] = wb; col[3] = c; wide[3] = wc
}
function headline(a, b, c) {
    bar(8, y, 764, 20, "", "#d6d9dc")
    text_at(col[1], y + 1, a, wide[1])
    text_at(col[2], y + 1, b, wide[2])
    text_at(col[3], y + 1, c, wide[3])
    y += 25
}
function height_of(a, b, c) {
    return 4 + 17 * most(most(lines_of(a, wide[1]), lines_of(b, wide[2])), \
        wide[3] ? lines_of(c, wide[3]) : 1)
}
function row(a, b, c,    height) {
    b = words_of(b)
    height = height_of(a, b, c)
    if (striped)
        bar(8, y - 1, 764, height, "", "#f1f3f5")
    striped = !striped
    text_at(col[1], y, a, wide[1])
    text_at(col[2], y, b, wide[2])
    text_at(col[3], y, c, wide[3])
    y += height
}
function note(text,    height) {
    text = words_of(text)
    height = 8 + 17 * lines_of(text, 107)
    bar(8, y, 764, height, "", "#fff3b8")
    text_at(12, y + 4, text, 107)
    y += height + 8
}

function said(i) { return word[i] (atoms[i] == "" ? "" : " " atoms[i]) }
function answer_of(i,    part, count, j, all) {
    count = split(answers[i], part, " ")
    for (j = 1; j <= count; j++) {
        if (sub(/\*$/, "", part[j]))
            part[j] = part[j] " for each"
        all = all (all == "" ? "" : ", ") part[j]
    }
    return all
}

# ---- the subpatches ----------------------------------------------------------------

# A group, on as many pages as it needs; the text is in `made`.
function group_pages(first, name,    i, k, number) {
    k = kind[first + 1]
    made = ""
    number = 1
    for (i = first + 1; i <= n && kind[i] != "group"; i++) {
        if (i == first + 1 || y > 640) {
            if (i > first + 1) {
                made = made page_end(24, entry)
                entry += 24
            }
            page_begin(name (number > 1 ? "-" number : ""), "")
            number++
            if (i == first + 1)
                note(meaning[first])
            if (k == "message") {
                columns(8, 34, 258, 46, 592, 25)
                headline("message", "what it does", "answer")
            } else {
                if (k == "info" || k == "stats")
                    columns(8, 24, 188, 82, 0, 0)
                else
                    columns(8, 42, 314, 64, 0, 0)
                headline(k == "flag" || k == "argument" ? "in the box" : \
                    k == "info" || k == "stats" ? "key" : k, "meaning", "")
            }
        }
        row(said(i), meaning[i], k == "message" ? answer_of(i) : "")
    }
    made = made page_end(24, entry)
    entry += 24
}

function page_word(text,    name) {
    name = tolower(text)
    gsub(/[^a-z]+/, "-", name)
    return name
}

# `index` of the pages of one box, and behind each its title.
function all_pages(b,    i, inner, from, name, text) {
    inner = ""
    for (i = 1; i <= n; i++) {
        if (box[i] != b || kind[i] != "group")
            continue
        if (b == "host" && kind[i + 1] == "argument")
            continue
        name = page_word(word[i])
        if (b == "device")
            name = "device-" name
        from = entry
        group_pages(i, name)
        inner = inner made
        list[++listed] = from "\t" word[i]
    }
    return inner
}
function all_messages(place,    inner, i, part, text) {
    entry = 46
    listed = 0
    if (of_shmreg) {
        inner = all_pages("shmreg")
    } else {
        inner = all_pages("host")
        entry += 34
        second = entry
        inner = inner all_pages("device")
    }
    page_begin("all-messages", "every message and every answer: click a box")
    y = 44
    for (i = 1; i <= listed; i++) {
        split(list[i], part, "\t")
        text_at(300, part[1], part[2], 40)
    }
    if (!of_shmreg) {
        bar(8, second - 28, 764, 20, "a patch as device: [shmlink~ -device]", "#d6d9dc")
        text_at(24, entry + 4, "What stands in the box: see arguments.", 100)
        entry += 24
    }
    text_at(24, entry + 4, "<one> stands for a word, [perhaps] for words that may be left out.", 100)
    y = entry + 36
    return "#N canvas 80 30 780 " (y + 12) " all-messages 0;\n" page inner place
}

# What a box looks like, and what it is.
function box_shown(x, gap, text, what,    width) {
    width = 7 * length(text) + 10
    put("#X obj " x " " y " cnv 5 " width \
        " 22 empty empty empty 6 11 0 12 #000000 #202020 0")
    put("#X obj " (x + 1) " " (y + 1) " cnv 5 " (width - 2) \
        " 20 empty empty " label(text) " 5 10 0 12 #f8f8f8 #000000 0")
    text_at(x + most(width + 12, gap), y + 1, what, 54)
}
function arguments(place,    i, j, title) {
    page_begin("arguments", "[shmlink~ <device> <inlets> <outlets> <flags>], all optional")
    columns(8, 23, 178, 84, 0, 0)
    headline("in the box", "meaning", "")
    for (i = 1; i <= n; i++) {
        if (box[i] != "host" || (kind[i] != "argument" && kind[i] != "flag"))
            continue
        title = said(i)
        # flags that mean the same share a row
        for (j = i + 1; j <= n && kind[j] == kind[i] && meaning[j] == meaning[i]; j++)
            title = title ", " said(j)
        row(title, meaning[i], "")
        i = j - 1
    }
    y += 8
    bar(8, y, 764, 20, "examples", "#d6d9dc")
    y += 27
    box_shown(16, 100, "shmlink~ MySynth:0", "stereo, no latency")
    box_shown(400, 85, "shmlink~", "then send it open MySynth:0")
    y += 27
    box_shown(16, 300, "shmlink~ MySynth:0 0 2 -t -tag lead", "an instrument on another core, found again by its tag")
    y += 27
    box_shown(16, 300, "shmlink~ MyEffect:0 2 2 -d 2 -onloss dry", "an effect: dry signal when it is late by 2 ms")
    y += 34
    return "#N canvas 80 10 780 " (y + 4) " arguments 0;\n" page place
}

# The first sentence of an event, and a field that shows the last one.
function brief(i,    text) {
    text = meaning[i]
    sub(/[.;] .*/, "", text)
    return said(i) ": " text
}
function event_field(i, x, width, chars, lines) {
    text_at(x, y, brief(i), chars)
    put("#X obj " (x + 2) " " (y + 1 + 17 * lines) " cnv 12 " width \
        " 18 empty \\$0-a-" word[i] " empty 4 9 0 11 #e9f1ea #30503a 0")
}
function is_wide(i) { return word[i] ~ /^(open|link|error)$/ || lines_of(brief(i), 54) > 2 }
function message_out(place,    i, j, lines, at) {
    page_begin("message-out", "everything that comes from the last outlet")
    at = objects
    put("#X obj 24 40 r \\$0-reply")
    put("#X obj 124 40 tgl 18 0 empty empty print\\ all\\ of\\ it\\ on\\ the\\ console 24 9 0 12 #fcfcfc #000000 #202020 0 1")
    put("#X obj 24 64 spigot")
    put("#X obj 110 64 print shmlink~")
    bar(8, 92, 764, 20, "events: they come by themselves. The field shows the last one", "#d6d9dc")
    y = 116
    for (i = 1; i <= n; i++) {
        if (box[i] != "host" || kind[i] != "event")
            continue
        lines = lines_of(brief(i), 54)
        if (word[i + 1] == word[i]) { # one field for both
            text_at(10, y, brief(i), 109)
            y += 17
        } else if (is_wide(i)) {
            lines = lines_of(brief(i), 109)
            event_field(i, 10, 756, 109, lines)
            y += 22 + 17 * lines
        } else {
            j = i + 1
            if (j > n || kind[j] != "event" || is_wide(j)) {
                event_field(i, 10, 370, 54, lines)
            } else {
                lines = most(lines, lines_of(brief(j), 54))
                event_field(i, 10, 370, 54, lines)
                event_field(j, 396, 370, 54, lines)
                i = j
            }
            y += 22 + 17 * lines
        }
    }
    y += 4
    note("What has a time comes one block after its sample, with exact spacing. A request that fails answers with its selector and 0, and error says what was refused. All answers: see all-messages.")
    return "#N canvas 80 10 780 " (y + 4) " message-out 0;\n" page \
        "#X connect " at " 0 " (at + 2) " 0;\n" \
        "#X connect " (at + 1) " 0 " (at + 2) " 1;\n" \
        "#X connect " (at + 2) " 0 " (at + 3) " 0;\n" place
}

function inlet_list(    i, all, seen) {
    all = of_shmreg ? "" : "signal "
    for (i = 1; i <= n; i++) {
        if (kind[i] == "message" && !((word[i]) in inlet_seen)) {
            inlet_seen[word[i]] = 1
            all = all word[i] " "
        }
    }
    return all
}

# ---- the patch ------------------------------------------------------------------------

skipping {
    if ($0 ~ /^#N canvas/)
        skipping++
    else if ($0 ~ /^#X restore/)
        skipping--
    if (!skipping)
        printf "%s", replacing == "all-messages" ? all_messages($0 "\n") : \
            replacing == "arguments" ? arguments($0 "\n") : message_out($0 "\n")
    next
}
/^#N canvas .* (all-messages|arguments|message-out) 0;$/ {
    replacing = $0
    sub(/ 0;$/, "", replacing)
    sub(/.* /, "", replacing)
    skipping = 1
    next
}
/^#X text 10 76 INLET_0 / { print "#X text 10 76 INLET_0 " inlet_list() ", f 86;"; next }
{ print }
