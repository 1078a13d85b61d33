#!/bin/sh
# settings.sh - mmcore help settings tells every key, and mmcore-settings(5) is made from the same tables.
. "${srcdir:?}/tests/cli/tap.sh"

run help settings --mdoc
check "help settings --mdoc succeeds" exits 0
sed -n '/From the tables.*begin$/,/From the tables.*end$/p' "$srcdir/man/mmcore-settings.5" | sed '1d;$d' >"$work/manual"
check "mmcore-settings(5) has what it prints (make manual)" diff "$work/out" "$work/manual"

run help settings
check "help settings succeeds" exits 0
check "it tells sections" says out "[translate]: how translations are drawn"
check "keys with their defaults" says out "  x_step (auto(0.02))"
run help settings learner.batch
check "one key alone" [ "$(grep -c '^  [a-z]' "$work/out")" -eq 1 ]
run help settings sample
check "one section alone" [ "$(grep -c '^\[' "$work/out")" -eq 1 ]
run help settings nonsense
check "an unknown key: status 2" exits 2
check "and one line" says err "no setting of the core is called 'nonsense'"
run help train
check "help COMMAND is COMMAND --help" says out "Usage: mmcore train"
run help
check "help alone lists the commands" says out "Commands:"
run help nonsense
check "an unknown command: status 2" exits 2

# Sizes are bounded before anything is made of them.
for size in sample.candidates=1000000 translate.candidates=1000000; do
	printf "[m0]\nplugin = mnist.so\n" >"$work/size.ini"
	run --ini "$work/size.ini" --set "$size" --out "$work/r"
	check "$size is refused: status 2" exits 2
	check "$size: told with its bounds" complains "--set $size: expected an integer from 1 to "
done

# What an INI gets told that still has a key that is no more; nothing is written.
printf '[learner]\nguide_steps = 40\n[m0]\nplugin = mnist.so\n' >"$work/old.ini"
run --ini "$work/old.ini" --out "$work/r"
check "a key that moved: status 2" exits 2
check "one line says where it went" complains "old.ini:2: [learner] guide_steps = 40: this key is no more: now [sample] latent_steps"
check "nothing is written" [ ! -e "$work/r" ]
printf '[learner]\nchain_interval = 8\n[m0]\nplugin = mnist.so\n' >"$work/old.ini"
run --ini "$work/old.ini" --out "$work/r"
check "a key that is gone says why" complains "measured to help nobody"
finish
