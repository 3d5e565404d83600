#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/terminal.md and the man pages from what the programs say with --help, and
# docs/write-a-device.md from the two programs in examples:
#
#   pages.sh terminal | shmlink.1 | shmplug.1 | write-a-device
#
# prints the page. `make pages` writes all of them.
cd "$(dirname "$0")/.." || exit 2
build=${BUILD:-build}

commands="device host list watch wait monitor why clean"

# The page as it is, with each block behind a line `<!-- $1 WORDS -->` made anew by
# `block WORDS`.
renew() { # page
    while IFS= read -r line; do
        printf '%s\n' "$line"
        case $line in
        '<!-- from '*) ;;
        *) continue ;;
        esac
        words=${line#<!-- from }
        block "${words% -->}"
        while IFS= read -r line && [ "$line" != '<!-- end -->' ]; do :; done
        printf '%s\n' '<!-- end -->'
    done <"$1"
}

block() { # shmlink [command] --help, or a file
    case $1 in
    *--help)
        # shellcheck disable=SC2086
        "$build"/$1 | sed 's/^/    /; s/ *$//'
        ;;
    *)
        echo '```c'
        cat "$1"
        echo '```'
        ;;
    esac
}

roff() { # text as it is
    sed 's/\\/\\e/g; s/^\./\\\&./; s/^'"'"'/\\\&'"'"'/; s/-/\\-/g'
}

man_page() { # name, in short
    version=$(sed -n 's/^#X text [0-9]* [0-9]* VERSION \(.*\);/\1/p' shmlink-meta.pd)
    printf '.TH %s 1 "" "shmlink %s"\n.SH NAME\n%s \\- %s\n' \
        "$(echo "$1" | tr a-z A-Z)" "$version" "$1" "$2"
}

man_part() { # title, command ...
    printf '.SH %s\n.nf\n' "$1"
    shift
    "$@" | roff
    printf '.fi\n'
}

case ${1:-} in
terminal | write-a-device) renew "docs/$1.md" ;;
shmlink.1)
    man_page shmlink "devices and hosts of sound, through shared memory"
    man_part SYNOPSIS "$build/shmlink" --help
    for command in $commands; do
        man_part "$(echo "$command" | tr a-z A-Z)" "$build/shmlink" "$command" --help
    done
    printf '.SH SEE ALSO\n.BR shmplug (1),\nthe pages in the folder docs\n'
    ;;
shmplug.1)
    man_page shmplug "one plugin in a process of its own"
    man_part DESCRIPTION "$build/shmplug" --help
    printf '.SH SEE ALSO\n.BR shmlink (1)\n'
    ;;
*)
    echo "usage: pages.sh terminal | shmlink.1 | shmplug.1 | write-a-device" >&2
    exit 2
    ;;
esac
