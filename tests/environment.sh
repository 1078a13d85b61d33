#!/bin/sh
# environment.sh - mmcore(1) lists every variable of the environment that is read, and no other.
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

# Every call must name its variable: one that is computed could not be found. What launchers of ranks set is not the user's, and in a
# table (core/comm/launch.c).
calls() { grep -rhn --include='*.[ch]' '[^e]getenv(' "$@"; }
read_by() { calls "$@" | grep -o 'getenv("[A-Za-z_]*"' | sed 's/.*"\(.*\)"/\1/' | LC_ALL=C sort -u; }
listed() { sed -n '/^\.Sh ENVIRONMENT/,/^\.El/s/^\.It Ev //p' man/mmcore.1 | LC_ALL=C sort; }

point "every call names its variable" "$(calls core plugins sdk | grep -v 'getenv("' | grep -vx '[0-9]*:	const char \*text = getenv(name);')"
point "mmcore(1) lists what is read, and no more" "$({ read_by core plugins sdk; echo; listed; } | awk '
	!NF { second = 1; next }
	!second { seen[$1]; next }
	$1 in seen { delete seen[$1]; next }
	{ print $1 " is listed, but not read" }
	END { for (name in seen) print name " is read, but not listed" }')"
point "in the order of the alphabet" "$(sed -n '/^\.Sh ENVIRONMENT/,/^\.El/s/^\.It Ev //p' man/mmcore.1 | LC_ALL=C sort -c 2>&1)"

# The test itself: a new variable is seen.
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
echo 'x = getenv("MMCORE_NEW"); y = secure_getenv("MMCORE_OTHER");' >"$work/a.c"
point "a variable that is read is seen" "$(read_by "$work" | tr '\n' ' ' | grep -vx 'MMCORE_NEW MMCORE_OTHER ')"
echo "1..$tests"
