#!/bin/sh
# mutations.sh - a rule that is broken in a copy of the template is found by exactly the test that mutations.txt names.
. "${srcdir:?}/tests/cli/tap.sh"
srcdir=$(cd "$srcdir" && pwd) || exit 99
MMCORE_TEMPLATE=$srcdir/sdk/template
export MMCORE_TEMPLATE
cd "$work" || exit 99
run new-plugin bars bars
check "the template is filled in" exits 0
tab=$(printf '\t')

found() { awk '$1 == "failed" || $1 == "crashed" || $1 == "warning" { print $2 }' "$work/out"; }
alone() { [ "$(found)" = "$1" ]; }

grep -v '^#' "$srcdir/tests/scaffold/mutations.txt" >list
while IFS=$tab read -r test file expression; do
	rm -rf mutant
	cp -r bars mutant
	sed -i "$expression" "mutant/$file"
	status=0
	if cmp -s "bars/$file" "mutant/$file"; then status=98; fi
	make -C mutant CPPFLAGS="-I$srcdir/sdk/include" CFLAGS='-O1 -w' LDFLAGS= bars.so >"$work/out" 2>"$work/err" || status=99
	check "$test: the mutant is built" exits 0
	run validate mutant/bars.so
	check "$test: finds it, and no other" alone "$test"
done <list
finish
