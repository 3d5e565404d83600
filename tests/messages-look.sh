# SPDX-License-Identifier: MIT
# Compares what the classes take and give with docs/messages.tsv, and that with
# docs/messages.md and the help patches. Prints a line for each difference, so
# nothing if all agree. Usage: messages-look.sh FOLDER METHODS, where METHODS has the
# lines `box selector` of the messages that the classes registered.
here=$(cd "$(dirname "$0")" && pwd)
methods=$(readlink -f "$2")
cd "$1" || exit 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
table=docs/messages.tsv

differ() { # file, file, what is only in the first, what is only in the second
    sort -u "$1" >"$work/first"
    sort -u "$2" >"$work/second"
    comm -23 "$work/first" "$work/second" | sed "s|^|$3: |"
    comm -13 "$work/first" "$work/second" | sed "s|^|$4: |"
}
rows() { # kinds, as an expression: `box word`
    awk -F '\t' -v kinds="^($1)$" '!/^#/ && $2 ~ kinds { print $1, $3 }' "$table"
}

# ---- what the classes do ---------------------------------------------------------

rows message >"$work/messages"
differ "$methods" "$work/messages" "message of a class, not in the table" \
    "message in the table, of no class"

# Selectors of what comes from the outlets: words in the place of the selector in
# calls that send.
given() { # box, sources
    box=$1
    shift
    cat "$@" | tr '\n' ' ' |
        grep -oE '(replies_(send|bare|number|text|key_number|key_text)|tell_[a-z_]+)\([^;{}]*;' |
        awk -v box="$box" '
            function tell(text) {
                while (match(text, /"[a-z_]+"/)) {
                    print box, substr(text, RSTART + 1, RLENGTH - 2)
                    text = substr(text, RSTART + RLENGTH)
                }
            }
            /^tell_list/ { tell($0); next }
            { split($0, arguments, ","); tell(arguments[2]) }'
}
shared="src/pd/device_info.c src/pd/replies.c"
{
    given host src/pd/host/*.c src/pd/shmlink~.c $shared
    given device src/pd/patch/*.c $shared
    grep -h 'x->say,' src/pd/host/device_events.c | given device
    given shmreg src/pd/shmreg.c src/pd/observers.c $shared
    sed -n '/shl_change_name(/,/^}/s/.*return "\([a-z]*\)";.*/shmreg \1/p' \
        src/core/board/watch.c | grep -v unknown
} >"$work/given"
rows 'answer|event' >"$work/answers"
# A request that has nothing else to say answers with its own selector.
cat "$work/given" "$work/messages" >"$work/possible"
differ "$work/given" "$work/answers" "answer of a class, not in the table" "" |
    grep -v '^: '
differ "$work/answers" "$work/possible" "answer in the table, of no class" "" |
    grep -v '^: '

flags() {
    sed -n 's/.*strcmp(\(flag\|text\), "\(-[a-z]*\)").*/'"$1"' \2/p
        s/^    {"\(-[a-z]*\)", .*/'"$1"' \1/p' "$2"
    grep -oE '"-(device|return)"' "$2" | tr -d '"' | sed "s/^/$1 /"
}
{
    flags host src/pd/flags.c
    flags device src/pd/patch/patch_words.c
} >"$work/read"
rows flag >"$work/flags"
differ "$work/read" "$work/flags" "flag of a box, not in the table" \
    "flag in the table, of no box"

# Keys of info and stats.
keys() { # box, file
    sed -n 's/^        {"\([a-z_]*\)", .*/stats \1/p
        s/^    [a-z]*(replies, "\([a-z]*\)".*/info \1/p
        s/.*atoms_set_text(&atoms\[0\], "\(capabilities\)").*/info \1/p
        s/.*"\(info\|stats\)", "\([a-z_]*\)",.*/\1 \2/p' "$2" |
        sed "s/^/$1 /"
}
{
    keys host src/pd/host/facts.c
    keys host src/pd/device_info.c
    keys device src/pd/patch/patch_facts.c
} >"$work/read"
awk -F '\t' '$2 == "info" || $2 == "stats" { print $1, $2, $3 }' "$table" \
    >"$work/keys"
differ "$work/read" "$work/keys" "key of a class, not in the table" \
    "key in the table, of no class"

# What is said to come back must be a row, too.
awk -F '\t' '!/^#/ && $2 == "message" {
        n = split($6, word, " ")
        for (i = 1; i <= n; i++) {
            sub(/\*$/, "", word[i])
            print $1, word[i]
        }
    }' "$table" >"$work/promised"
differ "$work/promised" "$work/answers" "answer of a message without a row" "" |
    grep -v '^: '

# ---- the pages ---------------------------------------------------------------------

said() { # boxes, as an expression: `word atoms`
    awk -F '\t' -v boxes="^($1)$" '!/^#/ && $1 ~ boxes && $2 != "group" {
            print $3 ($4 == "" ? "" : " " $4)
        }' "$table"
}
said '.*' >"$work/said"
sed -n 's/^| `\([^`]*\)` |.*/\1/p' docs/messages.md >"$work/page"
differ "$work/said" "$work/page" "not in docs/messages.md" \
    "only in docs/messages.md"

# Texts at the left edge of the tables; flags that mean the same share one.
in_help() {
    awk '
        /^#N canvas .* (all-messages|arguments) 0;$/ { depth = 1; next }
        depth && /^#N canvas/ { depth++ }
        depth && /^#X restore/ { depth-- }
        depth && /^#X text 8 / {
            sub(/^#X text 8 [0-9]* /, "")
            sub(/, f [0-9]*;$/, "")
            gsub(/ \\,/, ",")
            print
        }' "$1" | grep -vxE 'message|answer|event|argument|key|in the box' |
        sed '/^-[a-z]*, -/s/, /\n/g'
}
for help in 'host|device shmlink~' 'shmreg shmreg'; do
    said "${help% *}" >"$work/said"
    in_help "help/${help#* }-help.pd" >"$work/page"
    differ "$work/said" "$work/page" "not in the help of ${help#* }" \
        "only in the help of ${help#* }"
done

# Made from the table as it is now.
mkdir "$work/docs" "$work/help"
cp docs/messages.* "$work/docs"
cp help/*-help.pd "$work/help"
sh "$here/messages.sh" "$work"
for file in docs/messages.md help/shmlink~-help.pd help/shmreg-help.pd; do
    cmp -s "$file" "$work/$file" || echo "$file is not as make messages has it"
done
