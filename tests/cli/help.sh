#!/bin/sh
# help.sh - the program and each command explain themselves.
. "${srcdir:?}/tests/cli/tap.sh"

run --help
check "--help succeeds" exits 0
check "--help writes nothing to standard error" silent err
commands=$(sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' "$work/out")
check "--help lists train" says out "  train "
check "--help lists ablate" says out "  ablate "
check "--help lists sample" says out "  sample "
check "--help lists translate" says out "  translate "
check "--help lists score" says out "  score "
check "--help lists trace" says out "  trace "
check "--help lists interpolate" says out "  interpolate "
check "--help lists info" says out "  info "
check "--help lists plugins" says out "  plugins "
check "--help lists validate" says out "  validate "
check "--help lists bench" says out "  bench "
check "--help lists eval" says out "  eval "
check "--help lists judge" says out "  judge "
check "--help lists encode" says out "  encode "
check "--help lists report" says out "  report "

run --version
check "--version succeeds" exits 0
check "--version names the program" says out "mmcore "
check "--version says what computes" says out "build      mmcore "
check "and what was built in" eval 'says out "plugin ABI " && says out "LAPACK     " && says out "JPEG       "'

for command in $commands; do
	run "$command" --help
	check "$command --help succeeds" exits 0
	check "$command --help begins with a usage line" says out "Usage: mmcore $command"
	check "$command --help lists its options" says out "  --help "
done

# Every option of a command is in its manual page; --help and --quiet are mmcore(1)'s.
for command in $commands; do
	page=$srcdir/man/mmcore-$command.1
	[ -e "$page" ] || page=$srcdir/man/mmcore.1
	run "$command" --help
	missing=
	for option in $(sed -n 's/^  --\([a-z-]*\).*/\1/p' "$work/out"); do
		case $option in help | quiet) continue ;; esac
		grep -q -- "Fl -$option\b" "$page" || missing="$missing $option"
	done
	check "the manual page of $command has all of its options$missing" [ -z "$missing" ]
done

run train --help
for option in ini plugin set out minutes resume changed-data; do
	check "train --help explains --$option" says out "  --$option"
done
run --ini x --help
check "train is the command when the first argument is an option" says out "Usage: mmcore train"
run ablate --help
for option in ini sweep seeds minutes jobs window out plugin set; do
	check "ablate --help explains --$option" says out "  --$option"
done
run sample --help
for option in ckpt count candidates guide-steps x-steps grid out; do
	check "sample --help explains --$option" says out "  --$option"
done
run translate --help
for option in ckpt given want test test-count count mean expert z-steps candidates guide-steps x-steps number grid out plugin set; do
	check "translate --help explains --$option" says out "  --$option"
done
run score --help
for option in ckpt list test plugin set; do
	check "score --help explains --$option" says out "  --$option"
done
run trace --help
for option in ckpt tuples z-steps candidates guide-steps x-steps number out plugin set; do
	check "trace --help explains --$option" says out "  --$option"
done
run interpolate --help
for option in ckpt from to given prior steps spherical z-steps x-steps number grid plugin set; do
	check "interpolate --help explains --$option" says out "  --$option"
done
run info --help
for option in tensors settings; do
	check "info --help explains --$option" says out "  --$option"
done
run plugins --help
check "plugins --help explains --verbose" says out "  --verbose"
finish
