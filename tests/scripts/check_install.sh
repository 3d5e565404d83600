# SPDX-License-Identifier: MIT
# An installed copy: it is flat, and a patch elsewhere finds both classes in it,
# by [declare -path] and as [shmlink/...].
here=$(cd "$(dirname "$0")/.." && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# What there is in the folders that a careless install would write to.
elsewhere() {
    find /usr/local "$place/home" 2>/dev/null | sort
}

install() { # words for make
    mkdir -p "$place/home"
    elsewhere >"$place/before"
    if ! HOME=$place/home make install "$@" >"$place/log" 2>&1; then
        tail -n 20 "$place/log"
        fail "make install $*"
        exit 1
    fi
    elsewhere >"$place/after"
}

nothing_elsewhere() { # words for make
    if cmp -s "$place/before" "$place/after"; then
        pass "make install ${1%%=*}= writes nowhere else"
    else
        fail "make install $1 also wrote $(comm -13 "$place/before" \
            "$place/after" | head -5 | tr '\n' ' ')"
    fi
}

# One stroke each: PREFIX brings everything, PDLIBDIR what Pd needs.
install PREFIX="$place/prefix"
nothing_elsewhere "PREFIX=$place/prefix"
install PDLIBDIR="$place/pd-externals"
nothing_elsewhere "PDLIBDIR=$place/pd-externals"
if [ "$(id -u)" -ne 0 ]; then
    install
    [ -e "$place/home/pd-externals/shmlink/shmlink~.pd_linux" ] &&
        pass "make install by a user is for the Pd of that user" ||
        fail "make install by a user: $(tail -n 3 "$place/log")"
fi

# README.md is there, and whatever it links to.
linked=$(sed -n 's/.*](\([^)#]*\)).*/\1/p' README.md)
for flat in "$place/prefix/lib/pd-externals/shmlink" \
    "$place/pd-externals/shmlink"; do
    for file in shmlink~.pd_linux shmreg.pd_linux shmlink-meta.pd LICENSE \
        README.md $linked $(ls examples/*) $(cd help && ls *.pd) \
        $(cd abstractions && ls *.pd); do
        [ -e "$flat/$file" ] || fail "$file is not installed in $flat"
    done
done
for program in "$flat/shmplug" "$place/prefix/bin/shmplug"; do
    "$program" --version >/dev/null && pass "$(basename \
        "$(dirname "$program")")/shmplug runs" || fail "$program"
done
for program in "$flat/shmlink" "$place/prefix/bin/shmlink"; do
    "$program" --help >/dev/null && pass "$(basename \
        "$(dirname "$program")")/shmlink runs" || fail "$program"
done

# A program of somebody's own, built from what is installed, as README.md says.
PKG_CONFIG_PATH=$place/prefix/lib/pkgconfig
export PKG_CONFIG_PATH
if cc -std=c11 -D_GNU_SOURCE $(pkg-config --cflags shmlink) \
    -o "$place/own" -x c - $(pkg-config --libs shmlink) <<'C'; then
#include <shmlink/shmlink.h>
int main(void)
{
    struct shl_why why;
    return shl_id_check("MySynth:0", NULL, NULL, &why) != SHL_OK;
}
C
    "$place/own" && pass "a program builds from what is installed" ||
        fail "the program built from what is installed ends with $?"
else
    fail "a program does not build from what is installed"
fi

cat >"$place/user.pd" <<PATCH
#N canvas 0 0 400 200 12;
#X declare -path shmlink;
#X obj 10 10 declare -path shmlink;
#X obj 10 40 shmlink~;
#X obj 10 70 shmreg;
#X obj 10 100 shmlink/shmlink~;
#X obj 10 130 shmlink/shmreg;
PATCH
pd=$(command -v pd || command -v puredata)
open() { # patch
    HOME=$place timeout -k 2 1000 "$pd" -nogui -batch -nrt -noprefs -nomidi \
        -noaudio -stderr -open "$1" -send 'pd quit' </dev/null 2>&1
}
# That no synth runs is said, and is no trouble.
trouble() {
    grep -E "^error|couldn't create|can't load|no such object" |
        grep -v 'no device .* none is running on the board'
}
for patch in "$place/user.pd" "$flat"/*.pd; do
    log=$(open "$patch")
    if echo "$log" | trouble; then
        fail "$(basename "$patch") opens from the installed copy"
    else
        pass "$(basename "$patch") opens from the installed copy"
    fi
done
rm -f "/dev/shm/shl-$(id -u)-$SHMLINK_REGISTRY"
tally_end
