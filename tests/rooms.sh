#!/bin/sh
# Who includes whom: checks the tables of LAYOUT.md by reading the #include
# lines of src. And that numbers become text, and text numbers, in core/number.c
# alone: what the C library does depends on the locale, which any library may
# change.  rooms.sh [folder with the rooms]
cd "${1:-$(dirname "$0")/../src}" || exit 2

ls */*.[ch] >/dev/null 2>&1 || { echo "rooms: there are no sources"; exit 1; }

grep -n '^ *# *include' */*.[ch] | awk '
function words(text, set, value,    list, n, i) {
    n = split(text, list, " ")
    for (i = 1; i <= n; i++)
        set[list[i]] = value
}

function bad(text) {
    printf "src/%s:%s: %s\n", file, line, text
    errors++
}

# The noun of a core file: all platform files are one, and so are both sides of
# a stream, a role and what it does with messages.
function noun(name) {
    sub(/\.[ch]$/, "", name)
    sub(/^platform_.*/, "platform", name)
    sub(/^stream_.*/, "stream", name)
    sub(/_(messages|state|open|renew|claims|facts|audio|taps|requests|free|events|plugin|slot)$/, "", name)
    return name
}

# Inside the core: the door sees its public headers; the others see lines
# above their own, and the first two lines, plain values, each other.
function check_core(name,    own, other) {
    own = noun(base)
    other = noun(name)
    if (own == "shl" || own == other)
        return
    if (!(own in place))
        bad("src/core/" base " has no line in tests/rooms.sh and LAYOUT.md")
    else if (!(other in place))
        bad("\"" name "\" is no header of the core")
    else if (place[own] != 2 && place[other] >= place[own])
        bad(own " must not know " other)
    else if (place[own] == 2 && place[other] > 2)
        bad(own " must not know " other)
}

function check_system(name) {
    if (name in c_headers)
        return
    if (room == "core" && base ~ /^platform_/)
        return
    if (room == "tool" && (name ~ /^sys\// || name in tool_headers))
        return
    if (room == "pd" && (name == "m_pd.h" || name == "g_canvas.h"))
        return
    if (room == "rate" && name == "samplerate.h")
        return
    bad("<" name "> is not for the room " room)
}

BEGIN {
    n = split("status|" \
        "checksum event message midi name number param resampler snapshot " \
        "system tap transport|" \
        "burst cue layout monitor parts platform request|" \
        "bypass cell file loss pace pair priority reblock ring scratch trail|" \
        "beacon lane mail maolan segment store|" \
        "board cycle desk inquiry scratchpad stream|" \
        "crew plugin registry slot|" \
        "flow guest watch|" \
        "link|" \
        "device host|" \
        "serve|" \
        "shl", lines, "|")
    for (i = 1; i <= n; i++)
        words(lines[i], place, i)
    words("assert.h ctype.h errno.h float.h inttypes.h limits.h math.h " \
        "signal.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h " \
        "stdlib.h string.h time.h", c_headers, 1)
    words("sndfile.h fcntl.h getopt.h poll.h unistd.h", tool_headers, 1)
}

{
    split($0, part, ":")
    file = part[1]
    line = part[2]
    room = base = file
    sub(/\/.*/, "", room)
    sub(/.*\//, "", base)
    name = $0
    if (name ~ /</) {
        sub(/^[^<]*</, "", name)
        sub(/>.*/, "", name)
        check_system(name)
        next
    }
    sub(/^[^"]*"/, "", name)
    sub(/".*/, "", name)
    if (name == "m_pd.h" || name == "g_canvas.h") {
        check_system(name)
        next
    }
    target = room
    if (name ~ /\//) {
        target = name
        sub(/\/.*/, "", target)
        sub(/.*\//, "", name)
    }
    if (target == room) {
        if (room == "core")
            check_core(name)
    } else if (room == "plug" && target == "tool" && name == "synth.h") {
        next
    } else if (target == "rate" && (room == "tool" || room == "pd")) {
        next
    } else if (target != "core" || name != "shl.h") {
        bad("the room " room " must not include " target "/" name)
    } else if (room == "core") {
        bad("the core includes its own files without a folder")
    }
}

END {
    if (errors)
        exit 1
    print "rooms: " NR " includes are as LAYOUT.md has them"
}' || exit 1

# The tree: each file has a row, by its own name or by its noun.
missing=$(for file in */*.[ch]; do
    base=${file##*/}
    grep -qE "^ +(.* )?($base|${base%.*})( |$)" ../LAYOUT.md || echo "src/$file"
done)
if [ -n "$missing" ]; then
    echo "$missing" | sed 's|$|: has no row in the tree of LAYOUT.md|'
    exit 1
fi
echo "rooms: each file of src has its row in LAYOUT.md"

# Formats of floating point numbers, what reads such, and the letters of a locale.
locale=$(grep -n . */*.[ch] | sed 's/%%//g' |
    grep -E '"[^"]*%[-+#0-9.*]*[lL]?[aefgAEFG]|(strto(d|f|ld)|atof|sscanf|setlocale|localeconv|atom_string|is(alnum|alpha|blank|digit|lower|print|punct|space|upper)|to(lower|upper))\(' |
    grep -v '^core/number\.c:\|sscanf([^%]*%u')
if [ -n "$locale" ]; then
    echo "$locale" | sed 's|^|src/|; s|$|  <- depends on the locale: core/number.h|'
    exit 1
fi
echo "rooms: numbers are read and written in core/number.c alone"
