#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether files call each other in circles: file A needs something that B defines, and
# B, by whatever way, something of A's. The object files tell it, by their symbols; in
# each group of files apart: the core, the externals, the two programs.
#
#   circles.sh [group ...]      a group: name=object,object,...
#
# Without arguments: all groups of this tree, whose objects `make rooms` builds.

# Circles that are known and wait to be opened: the files of each on a line.
known='
src/core/host/host.c src/core/host/host_messages.c src/core/host/host_plugin.c
src/core/host/link.c src/core/host/link_plugin.c
'
cd "$(dirname "$0")/.." || exit 2

# The objects of a folder's sources, not what else lies there.
objects_of() { # group, where its objects are, sources
    group=$1 at=$2
    shift 2
    list=
    for source; do
        object=${source%.c}.o
        list=$list,$at${object#src/}
    done
    echo "$group=${list#,}"
}
if [ $# = 0 ]; then
    set -- "$(objects_of core build/ src/core/*/*.c)" \
        "$(objects_of pd src/ src/pd/*.c src/pd/*/*.c)" \
        "$(objects_of tool build/ src/tool/*.c)" \
        "$(objects_of plug build/ src/plug/*.c)"
fi

for group; do
    for object in $(echo "${group#*=}" | tr , ' '); do
        [ -e "$object" ] || { echo "circles: there is no $object: make rooms"; exit 2; }
    done
done

# group, file, kind, symbol: d for what the file defines, u for what it needs.
for group; do
    # As the sources are called, wherever the objects lie.
    nm -A -g $(echo "${group#*=}" | tr , ' ') | sed 's/^\([^:]*\): */\1: /' |
        awk -v group="${group%%=*}" '{
            file = $1
            sub(/\.o:$/, ".c", file)
            sub(/^build\//, "src/", file)
            if ($2 == "U")
                print group, file, "u", $3
            else if ($3 ~ /^[A-Z]$/)
                print group, file, "d", $4
        }'
done | awk -v known="$known" '
function bad(text) {
    print text
    errors++
}

# All that can be reached from here.
function visit(from, at,    n, i, next_files) {
    n = split(calls[at], next_files, " ")
    for (i = 1; i <= n; i++)
        if (!((from, next_files[i]) in reach)) {
            reach[from, next_files[i]] = 1
            visit(from, next_files[i])
        }
}

# Whether all of them stand on one line of those that are known.
function is_known(names,    name, n, m, i, k) {
    n = split(names, name, " ")
    for (i = 1; i <= lines; i++) {
        m = 0
        for (k = 1; k <= n; k++)
            m += index(line[i] " ", " " name[k] " ") > 0
        if (m == n) {
            met[i] = 1
            return 1
        }
    }
    return 0
}

function tell(first,    k, m, a, b, names) {
    names = ""
    for (k = 1; k <= files; k++)
        if (file[k] == first || ((first, file[k]) in reach && (file[k], first) in reach)) {
            names = names " " file[k]
            told[file[k]] = 1
            member[++m] = file[k]
        }
    if (is_known(names))
        return
    bad("circle:" names)
    for (a = 1; a <= m; a++)
        for (b = 1; b <= m; b++)
            if ((member[a], member[b]) in needs)
                print "    " member[a] " needs of " member[b] ":" needs[member[a], member[b]]
}

{
    if (!(($1, $2) in seen)) {
        seen[$1, $2] = 1
        file[++files] = $2
    }
    if ($3 == "d") {
        owner[$1, $4] = $2
    } else {
        n = ++uses
        use_group[n] = $1
        use_file[n] = $2
        use_symbol[n] = $4
    }
}

END {
    for (i = 1; i <= uses; i++) {
        if (!((use_group[i], use_symbol[i]) in owner))
            continue
        from = use_file[i]
        to = owner[use_group[i], use_symbol[i]]
        if (!((from, to) in needs))
            calls[from] = calls[from] " " to
        needs[from, to] = needs[from, to] " " use_symbol[i]
        edges++
    }
    n = split(known, parts, "\n")
    for (i = 1; i <= n; i++)
        if (parts[i] != "")
            line[++lines] = " " parts[i]
    if (!edges)
        bad("circles: no file needs another one: are these objects?")
    for (i = 1; i <= files; i++)
        visit(file[i], file[i])
    for (i = 1; i <= files; i++)
        if ((file[i], file[i]) in reach && !(file[i] in told))
            tell(file[i])
    for (i = 1; i <= lines; i++)
        if (!met[i])
            print "circles: opened, take it off the list in tests/circles.sh:" line[i]
    if (errors)
        exit 1
    print "circles: " (lines ? "no new one" : "none") " among " files " files, by " edges " uses of each other"
}'
