#!/bin/sh
# rooms.sh - every include points down the list of core/rooms.txt, plugins see the SDK alone, and the picture of it is true;
# streams of random numbers are named in one header, each by a name of its own.
: "${srcdir:?is set by make check}"
cd "$srcdir" || exit 99
tests=0

# point NAME FOUND: passes when nothing was found, else shows it.
point() {
	tests=$((tests + 1))
	if [ -z "$2" ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# FILE<tab>INCLUDED, those in quotes.
includes() {
	find "$@" -name '*.[ch]' | LC_ALL=C sort | while read -r file; do
		sed -n "s,^[ 	]*#[ 	]*include[ 	]*\"\([^\"]*\)\".*,$file	\1,p" "$file"
	done
}

against_the_list() {
	{ sed '/^#/d' core/rooms.txt; echo; includes "$1"; } | awk -F '\t' '
	!listed { if ($0 == "") listed = 1; else place[$1] = NR; next }
	{
		split($1, from, "/")
		if (!(from[2] in place))
			print $1 ": its folder is not in core/rooms.txt"
		if (split($2, to, "/") < 2)
			next
		if (!(to[1] in place))
			print $1 ": includes " $2 ", which is of no room"
		else if (place[to[1]] > place[from[2]])
			print $1 ": includes " $2 ", which stands above it"
	}'
}

point "every include of core points down" "$(against_the_list core)"
point "plugins and SDK include no header of core" "$(includes plugins sdk | grep '	[^	]*/' | grep -v '	mmcore/')"
point "docs/images/rooms.svg is as docs/draw-rooms draws it" "$(docs/draw-rooms . | diff docs/images/rooms.svg -)"

named_elsewhere() {
	grep -rn --include='*.[ch]' -e 'mmi_rng_key([^)]*"' -e 'key_of([^)]*"' "$1"
}

point "no stream is named outside core/engine/streams.h" "$(named_elsewhere core)"
point "no two streams have one name" "$(sed -n 's,^#define MMI_STREAM_[A-Z_]* \("[^"]*"\).*,\1,p' core/engine/streams.h | sort | uniq -d)"

# The test itself: a room that looks up is seen.
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/core/base"
cp core/rooms.txt "$work/core"
echo '#include "cli/cli.h"' >"$work/core/base/up.c"
point "an include that points up is seen" "$(cd "$work" && against_the_list core | grep -c 'stands above it' | grep -vx 1)"
echo 'key = mmi_rng_key(seed, "new");' >"$work/core/base/up.c"
point "a stream that is named elsewhere is seen" "$(named_elsewhere "$work/core" | grep -c new | grep -vx 1)"
echo "1..$tests"
