#!/bin/sh
# usage.sh - what the program says to arguments it cannot take: one line, exit status 2, and what was probably meant.
. "${srcdir:?}/tests/cli/tap.sh"

run
check "no arguments: status 2" exits 2
check "no arguments: points to --help" complains "mmcore --help"

run trian
check "unknown command: status 2" exits 2
check "unknown command: the nearest one is named" complains "unknown command 'trian'; did you mean 'train'?"

run xyzzyplugh
check "far-off command: status 2" exits 2
check "far-off command: no guess" complains "'mmcore --help' lists the commands"

for command in train sample eval judge encode info plugins bench; do
	run "$command" --hepl
	check "$command: unknown option: status 2" exits 2
	check "$command: unknown option: the nearest one is named" complains "unknown option '--hepl'; did you mean '--help'?"
done

run train --inni=x.ini
check "misspelt option with a value" complains "did you mean '--ini'?"
run train --ini
check "missing value: status 2" exits 2
check "missing value: says what is missing" complains "--ini needs a value"
run train --resume=yes
check "a flag with a value: status 2" exits 2
check "a flag with a value is refused" complains "--resume takes no value"
run train -i x.ini
check "one dash: status 2" exits 2
check "one dash is explained" complains "options begin with two dashes"
run sample --count many
check "a word for a number: status 2" exits 2
check "a word for a number: what was found" complains "'many' is no whole number"
run sample --count 99999999999999999999
check "a number too large: status 2" exits 2
run plugins surplus
check "surplus argument: status 2" exits 2
check "surplus argument is named" complains "unexpected argument 'surplus'"
finish
