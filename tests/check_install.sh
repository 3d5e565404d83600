# An installed copy: it is flat, and a patch elsewhere finds both classes in it,
# by [declare -path] and as [shmlink/...].
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
if ! make install PDLIBDIR="$place/pd-externals" PREFIX="$place/prefix" \
    >"$place/log" 2>&1; then
    tail -n 20 "$place/log"
    fail "make install"
    exit 1
fi

flat=$place/pd-externals/shmlink
for file in shmlink~.pd_linux shmreg.pd_linux shmlink-meta.pd LICENSE \
    README.md $(cd help && ls *.pd) $(cd abstractions && ls *.pd); do
    [ -e "$flat/$file" ] || fail "$file is not installed"
done
for program in "$flat/shmplug" "$place/prefix/bin/shmplug"; do
    "$program" --version >/dev/null && pass "$(basename \
        "$(dirname "$program")")/shmplug runs" || fail "$program"
done
[ -x "$place/prefix/bin/shmlink" ] && "$place/prefix/bin/shmlink" --help \
    >/dev/null && pass "the installed program runs"

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
