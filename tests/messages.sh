# SPDX-License-Identifier: MIT
# Writes docs/messages.md and the tables inside the help patches from
# docs/messages.tsv. Usage: messages.sh [FOLDER], the top of a tree.
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/..}" || exit 2
set -e

table=docs/messages.tsv
for file in docs/messages.md help/shmlink~-help.pd help/shmreg-help.pd; do
    case $file in
    *.md) awk -f "$here/messages-page.awk" "$table" >"$file.new" ;;
    *) awk -v patch="$file" -f "$here/messages-help.awk" "$table" "$file" \
        >"$file.new" ;;
    esac
    if cmp -s "$file" "$file.new"; then
        rm -f "$file.new"
    else
        mv "$file.new" "$file"
    fi
done
