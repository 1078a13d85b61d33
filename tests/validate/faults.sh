#!/bin/sh
# faults.sh - each fault of tests/badplugins/faulty.c is found by exactly the test of `mmcore validate` that faults.txt names, and a
# run with it ends as that says: with a message, and by a signal only where the plugin raised one itself.
. "${srcdir:?}/tests/cli/tap.sh"
plugin=${MMCORE_TEST_PLUGINS:?is set by make check}/faulty.so
srcdir=$(cd "$srcdir" && pwd) || exit 99
cd "$work" || exit 99
MMCORE_PLUGIN_PATH=$MMCORE_TEST_PLUGINS
export MMCORE_FAULT MMCORE_PLUGIN_PATH
ulimit -c 0
cat >run.ini <<END
[run]
threads = 1
grid_interval = 1000
[learner]
iterations = 4
warmup = 2
batch = 8
latent_dim = 3
z_steps = 1
x_steps = 1
[energy]
nef = 4
[good]
plugin = toy.so
[bad]
plugin = faulty.so
END

# What is no "passed" or "skipped"; that test data follow the seed is so on purpose.
found() { awk '$1 == "failed" || $1 == "crashed" || ($1 == "warning" && $2 != "seed") { print $2 " " $1 }' out; }
as_expected() {
	if [ "$1" = - ]; then [ -z "$(found)" ]; else [ "$(found)" = "$1 $2" ]; fi
}
# A callback of the other plugin's, or none at all, is not blamed for it.
ends() {
	[ "$1" = any ] || if [ "$1" = killed ]; then [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; else [ "$status" -eq "$1" ]; fi
}
told() { [ "$status" -eq 0 ] || [ "$status" -gt 100 ] || grep -q . err; }

while read -r fault test verdict ending; do
	case $fault in '#'* | '') continue ;; esac
	MMCORE_FAULT=$fault
	limit=10
	case $fault in hang-*) limit=1 ;; esac
	run validate "$plugin" --limit $limit
	check "$fault: found by $test alone" as_expected "$test" "$verdict"
	status=0
	rm -rf run
	timeout -k 1 $((limit * 6)) "$MMCORE_PROGRAM" --ini run.ini --out run >out 2>err </dev/null || status=$?
	check "$fault: a run ends with status $ending" ends "$ending"
	check "$fault: and says why" told
done <"$srcdir/tests/validate/faults.txt"
unset MMCORE_FAULT
run validate "$MMCORE_TEST_PLUGINS/exports.so" --only load
check "exports: found by symbols alone" as_expected symbols failed
finish
