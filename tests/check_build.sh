# What the build itself promises: one version, rooms that can be told apart, and
# nothing exported but the setup functions.
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/lib/tally.sh"
cd "$root" || exit 2

in_patch=$(sed -n 's/^#X text [0-9]* [0-9]* VERSION \(.*\);/\1/p' \
    shmlink-meta.pd)
in_header=$(sed -n 's/^#define SHL_VERSION_[A-Z]* //p' src/core/shl.h |
    paste -sd.)
if [ -n "$in_patch" ] && [ "$in_patch" = "$in_header" ]; then
    pass "version $in_patch, in shmlink-meta.pd and in shl.h"
else
    fail "version: shmlink-meta.pd has $in_patch, shl.h has $in_header"
fi
if grep -q "^## $in_patch" CHANGELOG.md; then
    pass "CHANGELOG.md has an entry for $in_patch"
else
    fail "CHANGELOG.md has no entry for $in_patch"
fi

if sh tests/rooms.sh; then
    pass "the rooms are apart"
else
    fail "the rooms are not apart"
fi
copy=$(mktemp -d)
for trespass in 'core/ring.c "host.h"' 'core/ring.c <unistd.h>' \
    'core/status.c "param.h"' 'pd/atoms.c "core/ring.h"' \
    'pd/atoms.c <unistd.h>' 'tool/main.c "m_pd.h"' 'tool/main.c "pd/atoms.h"'; do
    rm -rf "$copy/src"
    cp -r src "$copy"
    echo "#include ${trespass#* }" >>"$copy/src/${trespass%% *}"
    if sh tests/rooms.sh "$copy/src" >/dev/null; then
        fail "make rooms overlooks ${trespass#* } in src/${trespass%% *}"
    else
        pass "make rooms sees ${trespass#* } in src/${trespass%% *}"
    fi
done
rm -rf "$copy"

# Every source is on the page, by its name or by its noun.
unnamed=
for file in src/*/*.[ch]; do
    name=${file##*/}
    noun=${name%.[ch]}
    grep -q "^  $noun  \|^  .*$name" LAYOUT.md || unnamed="$unnamed $file"
done
if [ -z "$unnamed" ]; then
    pass "LAYOUT.md names every source"
else
    fail "LAYOUT.md does not name$unnamed"
fi

for binary in *.pd_linux *.linux-*-64.so; do
    names=$(nm -D --defined-only "$binary" | awk '{ print $3 }' |
        grep -v -e '^_init$' -e '^_fini$' | paste -sd' ')
    case $names in
    shmlink_tilde_setup | shmreg_setup) pass "$binary exports $names alone" ;;
    *) fail "$binary exports: ${names:-nothing}" ;;
    esac
done
tally_end
