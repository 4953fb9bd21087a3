#!/bin/sh
# reference.sh - what logstat --counts is compared with: reference.sh packages|days FILE...
# The definition of line.h in awk: the C locale, so that bytes are bytes; blanks and tabs separate fields.
set -eu
case $1 in
packages) field=4 ;;
days) field=1 ;;
*) echo "usage: reference.sh packages|days FILE..." >&2; exit 2 ;;
esac
shift
LC_ALL=C awk -F '[ \t]+' -v field="$field" '
    { sub(/\r$/, "") }
    $1 ~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/ &&
    $3 ~ /^(install|upgrade|configure|trigproc|disappear|remove|purge)$/ &&
    $4 != "" { print $field }' "$@" | LC_ALL=C sort | uniq -c
