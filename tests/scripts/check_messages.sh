# SPDX-License-Identifier: MIT
# Every message, answer, event and flag is where users look for it: what the classes
# register and send, docs/messages.tsv, docs/messages.md and the help patches agree,
# in each direction. Each difference is made once in a copy, and must be seen.
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The classes tell what they register: those of [shmlink~] are the host, the device
# and its return.
${CC:-cc} -rdynamic -o "$work/methods" tests/support/methods.c -ldl
{
    "$work/methods" ./shmlink~.pd_linux | sed 's/^1 /host /; s/^[23] /device /'
    "$work/methods" ./shmreg.pd_linux | sed 's/^1 /shmreg /'
} >"$work/list"
if [ "$(wc -l <"$work/list")" -gt 90 ]; then
    pass "the classes register $(wc -l <"$work/list") messages"
else
    fail "the classes register only $(wc -l <"$work/list") messages"
fi

look() { sh tests/messages-look.sh "$1" "$work/list"; }
differences=$(look .)
if [ -z "$differences" ]; then
    pass "classes, table, docs and help agree on $(grep -vc '^#' docs/messages.tsv) rows"
else
    fail "classes, table, docs and help differ: $(echo "$differences" | wc -l)"
    echo "$differences" | sed 's/^/     | /' | head -n 20
fi

# A difference, made in a copy with all pages written anew unless they are what
# differs, must be seen, and no other.
copy=$work/copy
seen() { # what is seen, file, sed script, pages to write anew
    rm -rf "$copy"
    mkdir -p "$copy/src/core" "$copy/docs"
    cp -r src/pd "$copy/src"
    cp -r src/core/board "$copy/src/core"
    cp docs/messages.* "$copy/docs"
    cp -r help "$copy"
    sed "$3" "$copy/$2" >"$work/changed"
    if cmp -s "$work/changed" "$copy/$2"; then
        fail "nothing to change in $2: $3"
        return
    fi
    cp "$work/changed" "$copy/$2"
    [ -z "$4" ] || sh tests/messages.sh "$copy"
    found=$(look "$copy")
    case $found in
    *"$1"*) pass "seen: $1" ;;
    *) fail "not seen: $1, but: $found" ;;
    esac
}
table=docs/messages.tsv
tab=$(printf '\t')
seen "message of a class, not in the table: host ping" $table "/message${tab}ping/d" pages
seen "message in the table, of no class: host pong" $table "s/message${tab}ping/message${tab}pong/" pages
seen "answer of a class, not in the table: device claimed" $table "/event${tab}claimed/d" pages
seen "answer in the table, of no class: host gones" $table "s/event${tab}gone/event${tab}gones/" pages
seen "answer of a message without a row: host ping" $table "/answer${tab}ping/d" pages
seen "flag of a box, not in the table: host -resample" $table "/flag${tab}-resample/d" pages
seen "flag in the table, of no box: device -master" $table "s/flag${tab}-slave/flag${tab}-master/" pages
seen "answer of a class, not in the table: host newword" src/pd/host/taps.c 's/"tap_info"/"newword"/' ''
seen "flag of a box, not in the table: host -new" src/pd/flags.c 's/"-resample") ==/"-new") ==/' ''
seen "key of a class, not in the table: device stats padded" $table "/stats${tab}padded/d" pages
seen "key in the table, of no class: host info paths" $table "s/info${tab}path${tab}/info${tab}paths${tab}/" pages
seen "not in docs/messages.md: param_get <parameter>" docs/messages.md '/^| `param_get /d' ''
seen "only in docs/messages.md: param_put" docs/messages.md 's/^| `param_get .*` | a/| `param_put` | a/' ''
seen "not in the help of shmlink~: -must" 'help/shmlink~-help.pd' '/^#X text 8 [0-9]* -must,/d' ''
seen "only in the help of shmlink~: pong" 'help/shmlink~-help.pd' 's/\(^#X text 8 [0-9]*\) ping,/\1 pong,/' ''
seen "not in the help of shmreg: find <tag>" help/shmreg-help.pd '/^#X text 8 [0-9]* find /d' ''
seen "help/shmreg-help.pd is not as make messages has it" $table 's/clear away what/remove what/' ''
tally_end
