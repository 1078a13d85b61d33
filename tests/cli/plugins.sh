#!/bin/sh
# plugins.sh - mmcore plugins: nothing on the search path goes unmentioned.
. "${srcdir:?}/tests/cli/tap.sh"

HOME=$work
export HOME
mkdir "$work/first" "$work/second"
echo "no shared object" >"$work/first/text.so"
: >"$work/second/empty.so"
echo "ignored" >"$work/second/readme.txt"

run plugins
check "plugins succeeds" exits 0
check "the plugin built here is listed" says out "mnist.so  "
check "without refusals there is no list of them" eval '! says out "Not used"'

run plugins --path "$work/first:$work/second"
check "refused files do not make it fail" exits 0
check "a file that is no shared object is named" says out "refused: plugin $work/first/text.so: "
check "an empty file is named" says out "refused: plugin $work/second/empty.so: "
check "files without the suffix are no candidates" eval '! says out readme'
check "the good plugin is still listed" says out "mnist.so  "

run plugins --verbose --path "$work/first"
check "--verbose tells the licence" says out "  licence  "
check "--verbose tells the ABI" says out "  ABI      1, built with minor "
check "--verbose lists the folders searched" says out "Searched, in this order:"
first_folder() { [ "$(sed -n '/^Searched/{n;p;}' "$work/out")" = "  $work/first" ]; }
check "--path comes first" first_folder

ln -s "$(dirname "$(sed -n 's/^  file     //p' "$work/out" | head -n 1)")/mnist.so" "$work/first/twin.so"
run plugins --path "$work/first"
check "the same file under two names is used once" says out "duplicate: plugin "
finish
