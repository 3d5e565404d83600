# SPDX-License-Identifier: MIT
# To be sourced, then `apart "$0" "$@"`: starts the script again with a /dev/shm of
# its own, where the system allows that. Then whatever else this user runs does not
# disturb the tests, is not disturbed by them, and is not taken for something that
# they left. SHL_APART is `yes` or `no` afterwards, in all that the script starts.

# Without capabilities: those of a namespace of a plain user would open files that
# tests expect to be refused.
apart_shm='mount -t tmpfs -o mode=1777 tmpfs /dev/shm || exit 1
if [ "$(id -u)" -eq 0 ]; then exec "$@"; fi
exec setpriv --ambient-caps=-all --inh-caps=-all "$@"'

apart() { # script word ...
    [ -z "${SHL_APART:-}" ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        set -- unshare --mount -- "$@"
    else
        set -- unshare --user --map-current-user --keep-caps --mount -- "$@"
    fi
    a_apart=
    while [ "$1" != -- ]; do
        a_apart="$a_apart $1"
        shift
    done
    shift
    if $a_apart sh -c "$apart_shm" sh true 2>/dev/null; then
        SHL_APART=yes
        export SHL_APART
        exec $a_apart sh -c "$apart_shm" sh sh "$@"
    fi
    SHL_APART=no
    export SHL_APART
}
