#!/bin/sh
# settings.sh - mmcore help settings tells every key, and mmcore-settings(5) is made from the same tables.
. "${srcdir:?}/tests/cli/tap.sh"

run help settings --mdoc
check "help settings --mdoc succeeds" exits 0
manual() { # manual OF: that part of mmcore-settings(5)
	sed -n "/From the tables of the $1.*begin\$/,/From the tables of the $1.*end\$/p" "$srcdir/man/mmcore-settings.5" | sed '1d;$d' >"$work/manual"
}
manual core
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

# Plugins tell their own.
run help settings mnist.so
check "help settings PLUGIN succeeds" exits 0
check "it tells keys with their defaults" says out "  energy_channels (16)"
run help settings mnist.so --json
check "and as JSON with the plugin's name" says out '"plugin":	"mnist.so"'
if [ -e "${MMCORE_PLUGIN_PATH%%:*}/audio.so" ]; then
	manual plugins
	run help settings --mdoc mnist.so
	cp "$work/out" "$work/all"
	run help settings --mdoc img.so txt.so audio.so
	cat "$work/out" >>"$work/all"
	check "mmcore-settings(5) has what they tell (make manual)" diff "$work/all" "$work/manual"
	check "what all have is told once" [ "$(grep -c '^.It Li captions' "$work/out")" -eq 1 ]
	run plugins --json
	check "plugins --json has settings" says out '"key":	"griffin_lim"'
fi
run help settings nowhere.so
check "no such plugin: status 2" exits 2

# Sizes are bounded before anything is made of them.
for size in sample.candidates=1000000 translate.candidates=1000000; do
	printf "[m0]\nplugin = mnist.so\n" >"$work/size.ini"
	run --ini "$work/size.ini" --set "$size" --out "$work/r"
	check "$size is refused: status 2" exits 2
	check "$size: told with its bounds" complains "--set $size: expected an integer from 1 to "
done

# Who multiplies numbers in bfloat16 is told before the data are looked for, which are not there.
printf "[m0]\nplugin = mnist.so\nroot = absent\n" >"$work/bf16.ini"
run --ini "$work/bf16.ini" --set run.precision=bfloat16 --out "$work/r"
check "bfloat16: one line says what computes" grep -q "precision = bfloat16: \(products by\|this processor has no\)" "$work/err"
MMCORE_ISA=generic run --ini "$work/bf16.ini" --set run.precision=bfloat16 --out "$work/r"
check "bfloat16 emulated: a warning says so" says err "products are emulated (generic, bfloat16 emulated), slower than in float32"
run --ini "$work/bf16.ini" --set run.precision=half --out "$work/r"
check "another precision: status 2" exits 2
check "another precision: one line says what there is" complains "bfloat16"

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
