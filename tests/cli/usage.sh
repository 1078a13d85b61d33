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
run sample runs/first --grid x.png
check "a run without its option: which one it goes with" complains "unexpected argument 'runs/first'; a checkpoint or a run goes with --ckpt"
run train mine.ini
check "settings without their option: which one they go with" complains "unexpected argument 'mine.ini'; the settings go with --ini"
run mine.ini
check "settings without a command" complains "settings go with --ini: mmcore --ini mine.ini"
run version
check "the version as a command" complains "did you mean '--version'?"
run -V
check "the version as others have it" eval 'exits 0 && says out "mmcore "'
run help sampel
check "help for a misspelt command names the nearest" complains "did you mean 'sample'?"
run sample --ckpt x --grid "$work/nowhere/x.png"
check "a sheet for a folder that is not there is refused at once" eval 'exits 2 && complains "--grid: the folder it is to go to is not there"'
run sample --ckpt x --grid "$work"
check "a folder is no sheet" eval 'exits 2 && complains "--grid: that is a folder"'
run sample --ckpt x --out "$work/out"
check "a file is no folder for samples" eval 'exits 2 && complains "--out: a file of that name is in the way"'
printf '[learner]\niterations = 3\n' >"$work/mine.ini"
run info "$work/mine.ini"
check "a text is no checkpoint" eval 'exits 2 && complains "not a safetensors file: its first 8 bytes"'
run plugins surplus
check "surplus argument: status 2" exits 2
check "surplus argument is named" complains "unexpected argument 'surplus'"
finish
