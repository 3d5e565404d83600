#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether the tree is as docs/LAYOUT.md says: each file of src and include has a row, each
# #include line is one that the tables there allow. And that numbers become text, and
# text numbers, in core/values/number.c only: what the C library does depends on the
# locale, which any library may change. And that limits are written in
# shmlink/limits.h only.  rooms.sh [copy of the tree]
cd "${1:-$(dirname "$0")/..}" || exit 2

ls src/*/*.[ch] src/*/*/*.[ch] include/*/*.h >/dev/null 2>&1 ||
    { echo "rooms: there are no sources"; exit 1; }

# The page, then all #include lines, then all file names.
{
    sed 's/^/page /' docs/LAYOUT.md
    grep -n '^ *# *include' include/*/*.h src/*/*.[ch] src/*/*/*.[ch] |
        sed 's/^/include /'
    ls include/*/*.h src/*/*.[ch] src/*/*/*.[ch] | sed 's/^/file /'
} | awk '
function bad(text) {
    print text
    errors++
}

function folder_of(path) {
    sub(/\/[^\/]*$/, "", path)
    return path
}

# ---- the tree of the page

# A row names files; a name without an ending stands for its .h and its .c; the
# header of one with a star is public.
function tree_row(line,    n, i, name, words, star) {
    star = line ~ /^  [a-z_.]+ +\* /
    sub(/^  /, "", line)
    sub(/ +\* .*/, "", line)
    sub(/  .*/, "", line)
    n = split(line, words, " ")
    for (i = 1; i <= n; i++) {
        name = words[i]
        if (star && name ~ /\.h$/) {
            row["include/shmlink/" name] = 1
            room_of["include/shmlink/" name] = room(folder "/")
            continue
        }
        if (name ~ /\.[ch]$/) {
            row[folder "/" name] = 1
            continue
        }
        row[folder "/" name ".c"] = 1
        noun[++nouns] = folder "/" name
        if (star) {
            row["include/shmlink/" name ".h"] = 1
            room_of["include/shmlink/" name ".h"] = room(folder "/")
        } else {
            row[folder "/" name ".h"] = 1
        }
    }
}

# ---- the tables of the page

# "values < os < shm, messages < host": a room may include those before its group.
function layers(line,    groups, n, i, m, k, names, before) {
    sub(/^ +/, "", line)
    n = split(line, groups, / *< */)
    before = ""
    for (i = 1; i <= n; i++) {
        m = split(groups[i], names, /, */)
        for (k = 1; k <= m; k++)
            allowed["core/" names[k]] = before " core/" names[k]
        for (k = 1; k <= m; k++)
            before = before " core/" names[k]
    }
    layered = 1
}

function table_row(line,    cells) {
    gsub(/`/, "", line)
    split(line, cells, / *\| */)
    gsub(/,/, " ", cells[3])
    gsub(/[,;:]/, " ", cells[4])
    if (cells[2] != "core")
        allowed[cells[2]] = cells[3] " " cells[2]
    system_of[cells[2]] = cells[4]
    table_rows++
}

function in_words(word, list,    words, n, i) {
    n = split(list, words, " ")
    for (i = 1; i <= n; i++)
        if (words[i] == word)
            return 1
    return 0
}

# ---- the includes

# Two names for a room: a class file may have its own row in the table.
function room(path,    own) {
    sub(/^src\//, "", path)
    if (path in allowed)
        return path
    sub(/\/[^\/]*$/, "", path)
    return path
}

function has_system(own, path, name,    list) {
    list = own in system_of ? system_of[own] : system_of["core"]
    if (own ~ /^core\// && path ~ /\/platform_/)
        return 1
    if (in_words(name, list))
        return 1
    if (in_words("sys/*", list) && name ~ /^sys\//)
        return 1
    return in_words("C", list) && (name in c_headers)
}

function check(path, line, name, angled,    own, other, target) {
    own = path in room_of ? room_of[path] : room(path)
    if (path ~ /^include\/.*\/shmlink(-plugin)?\.h$/)
        return
    if (angled || name == "m_pd.h" || name == "g_canvas.h") {
        if (!has_system(own, path, name))
            bad(path ":" line ": <" name "> is not for the room " own)
        return
    }
    if (name ~ /^shmlink\//)
        target = "include/" name
    else if (name ~ /\//)
        target = "src/" name
    else
        target = folder_of(path) "/" name
    if (!(target in row)) {
        bad(path ":" line ": \"" name "\" has no row in LAYOUT.md")
        return
    }
    if (name ~ /^shmlink\/shmlink(-plugin)?\.h$/) {
        if (own ~ /^core\//)
            bad(path ":" line ": the core does not go through its own door")
        return
    }
    other = target in room_of ? room_of[target] : room(target)
    if (own == other || in_words(other, allowed[own]) ||
        in_words(substr(target, 5), allowed[own]))
        return
    bad(path ":" line ": the room " own " must not include " name)
}

BEGIN {
    n = split("assert.h ctype.h errno.h float.h inttypes.h limits.h math.h " \
        "signal.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h " \
        "stdlib.h string.h time.h", list, " ")
    for (i = 1; i <= n; i++)
        c_headers[list[i]] = 1
}

$1 == "page" {
    line = substr($0, 6)
    if (line ~ /^(src|include)\/[a-z\/]* /) {
        folder = $2
        sub(/\/$/, "", folder)
    } else if (line ~ /^[a-zA-Z.]/ || line ~ /^```/) {
        folder = ""
    } else if (folder != "" && line ~ /^  [a-z_]/) {
        tree_row(line)
    } else if (line ~ /^    values </) {
        layers(line)
    } else if (line ~ /^\| [a-z\/_~.]+ \|/ && line !~ /^\| room/) {
        table_row(line)
    }
    next
}

$1 == "include" {
    split($2, part, ":")
    name = $0
    angled = name ~ /</
    sub(/^[^<"]*[<"]/, "", name)
    sub(/[>"].*/, "", name)
    check(part[1], part[2], name, angled)
    includes++
    next
}

$1 == "file" && !($2 in row) {
    bad($2 ": has no row in the tree of LAYOUT.md")
}
$1 == "file" { there[$2] = 1 }

END {
    if (!layered || table_rows < 5)
        bad("LAYOUT.md: the line of layers or the table of rooms is not found")
    for (i = 1; i <= nouns; i++)
        if (!((noun[i] ".c") in there) && !((noun[i] ".h") in there))
            bad(noun[i] ": has a row in LAYOUT.md, and is not there")
    if (errors)
        exit 1
    print "rooms: " includes " includes are as LAYOUT.md has them"
}' || exit 1

# Formats of floating point numbers, what reads such, and the letters of a locale.
locale=$(grep -n . include/*/*.h src/*/*.[ch] src/*/*/*.[ch] | sed 's/%%//g' |
    grep -E '"[^"]*%[-+#0-9.*]*[lL]?[aefgAEFG]|(strto(d|f|ld)|atof|sscanf|setlocale|localeconv|atom_string|is(alnum|alpha|blank|digit|lower|print|punct|space|upper)|to(lower|upper))\(' |
    grep -v '^src/core/values/number\.c:\|sscanf([^%]*%u')
if [ -n "$locale" ]; then
    echo "$locale" | sed 's|$|  <- depends on the locale: shmlink/number.h|'
    exit 1
fi
echo "rooms: numbers are read and written in core/values/number.c only"

# The limits are numbers of shmlink/limits.h. Who defines such a number again has
# another reason for it, which stands here.
limits=$(grep -nE '(# *define +[A-Za-z_0-9]+ +\(?(4096|4095|1024|255|64|63|48|47|32)u?\b|[<>=] *(4096|1024)u?\b)' \
        include/*/*.h src/*/*.[ch] src/*/*/*.[ch] |
    grep -v '^include/shmlink/limits\.h:\|static_assert\|_FILE_OFFSET_BITS' |
    awk '
    FNR == NR { reason[$1]; next }
    {
        name = $0
        if (match(name, /# *define +[A-Za-z_0-9]+/)) {
            name = substr(name, RSTART, RLENGTH)
            sub(/.* /, "", name)
            if (name in reason) next
        } else if (/SHL_PORT_COUNTS_OFFSET|size_t step = 4096/) {
            next # a place in the Maolan part; the smallest page
        }
        print
    }' /dev/fd/3 - 3<<'REASONS'
AHEAD               frames that libsamplerate reads ahead
BUDGET              messages in one poll
BUILTIN_VALUES      values that one builtin plugin has
CHUNK_IN            frames that are resampled at once
CLAP_MODULE_SIZE    of CLAP's shared bytes
CLAP_PORTS          audio ports of a CLAP plugin, each way
COUNTED             blocks, after which a counter must have moved
DRAIN_BYTES         bytes that one read takes from a pipe
EXCHANGE_MIDI       messages that wait in the tool
FIRST_ROOM          bytes of a payload to begin with
FIRST_TRANSPORT     ids of the test plugin
GOALS               connections of Pd that are looked through
INHERITED           descriptors that may have been left open
LONG_BYTES_MS       bytes of a payload in a ms
MAX_CUTS            changes of the transport in one block
MAX_LEVELS          ids of the test plugin
METHODS_MAX         of one Pd class
MIDI_CHANNELS       two ports of 16, as Pd has them
MISS                points in a score
NEWS                notices between two threads
PATCH_TRANSPORTS    one for each frame of a tick of Pd
PLACES              devices of one process that are woken together
RAW_MAX             atoms of one message of Pd
READ_FRAMES         that are fetched ahead
RELAPSE             blocks
REPLIES_TEXTS       texts that are remembered, a power of two
REPLY_SIZE          bytes of an answer that the tool makes on its stack
REQUESTS_MAX        that wait in [shmlink~]
ROOM                frames of a resampler
SCHEDULE_SIZE       events of [shmlink~] that wait
SEEN_MAX            options of one command
SETTINGS            bytes of a word
SHL_EVENT_SLOTS     wire: of a ring
SHL_HOST_CUES       changes of the transport that wait
SHL_NOTICES         that wait to be told
SHL_PLUGIN_PROCESS_SPEC_SIZE  bytes of a plugin's address
SHL_RING_SLOTS      wire: of a ring
SHORT_FRAMES        copied faster than asked for
SHY_BLOCKS          blocks
SIGNALS             of the system
SPARE_FRAMES        of a resampler
SUSTAIN             the MIDI controller
SYNTH_VOICES        of the synth
TICK_FRAMES         of Pd
VOICE_SYSEX_MAX     bytes that [shmlink~] gathers
WAITING_MAX         messages of one object
REASONS
)
if [ -n "$limits" ]; then
    echo "$limits" | sed 's|$|  <- a limit again? use shmlink/limits.h, or say the reason in tests/rooms.sh|'
    exit 1
fi
echo "rooms: limits are written in shmlink/limits.h only"
