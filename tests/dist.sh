#!/bin/sh
# dist.sh - the archive of sources can be made: whatever the makefiles name is in the checkout. (A file that git ignores is there for
# who wrote it, and for nobody else.)
: "${srcdir:?is set by make check}"
if [ ! -d "$srcdir/.git" ] && [ ! -f "$srcdir/.git" ]; then
	echo "1..0 # SKIP no checkout"
	exit 0
fi
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
# Names of the archive's files, without making it.
cat >"$work/names.mk" <<'END'
include Makefile
dist-names:
	@printf '%s\n' $(DISTFILES)
END
MAKEFLAGS='' make -s -f "$work/names.mk" dist-names >"$work/names" 2>"$work/errors"
if [ ! -s "$work/names" ]; then
	echo "not ok 1 - the makefile names its files"
	sed 's/^/# /' "$work/errors"
else
	echo "ok 1 - the makefile names its files"
fi
# What bootstrap and configure make is in no checkout.
(cd "$srcdir" && git ls-files --cached) | LC_ALL=C sort >"$work/tracked"
sed "s,^$srcdir/,,; s,^\./,," "$work/names" | LC_ALL=C sort -u |
	grep -Ev '^(aclocal\.m4|configure|build-aux/.*|m4/l[^/]*|mmi_build\.h\.in|Makefile\.in|.*/)$' |
	LC_ALL=C comm -23 - "$work/tracked" >"$work/lost"
found=$(while read -r name; do
	[ -d "$srcdir/$name" ] || echo "$name"
done <"$work/lost")
if [ -z "$found" ]; then
	echo "ok 2 - all of them are tracked"
else
	echo "not ok 2 - all of them are tracked"
	echo "$found" | sed 's/^/# /'
fi
# The other way round: what is tracked is in the archive, by its own name or in a folder that is.
sed "s,^$srcdir/,,; s,^\./,," "$work/names" | while read -r name; do
	[ ! -d "$srcdir/$name" ] || (cd "$srcdir" && git ls-files --cached "$name")
done | cat - "$work/names" | sed "s,^$srcdir/,,; s,^\./,," | LC_ALL=C sort -u >"$work/archive"
found=$(LC_ALL=C comm -23 "$work/tracked" "$work/archive" | grep -Ev '^(\.ci/.*|\.github/.*|\.gitignore)$')
if [ -z "$found" ]; then
	echo "ok 3 - all that is tracked is in the archive"
else
	echo "not ok 3 - all that is tracked is in the archive"
	echo "$found" | sed 's/^/# /'
fi
echo 1..3
