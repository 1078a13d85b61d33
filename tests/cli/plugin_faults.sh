#!/bin/sh
# plugin_faults.sh - plugins that end the program, hang or overflow: the program says which, and in what. MMCORE_TEST_PLUGINS: the test
# programs' folder.
. "${srcdir:?}/tests/cli/tap.sh"
MMCORE_PLUGIN_PATH=${MMCORE_TEST_PLUGINS:?is set by make check}
export MMCORE_PLUGIN_PATH
cd "$work" || exit 99
cat >run.ini <<END
[run]
threads = 1
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
END

for where in create open read; do
	run --ini run.ini --plugin bad=exits.so --set bad.where=$where --out "exit-$where"
	check "exit(0) in $where is no success" exits 70
	check "and the message names it" says err "[bad] plugin org.example.exits ($MMCORE_PLUGIN_PATH/exits.so): $where"
done
check "as a call of exit" says err "called exit; a plugin must not end the program"
run --ini run.ini --plugin bad=exits.so --set bad.how=quick-exit --out quick
check "quick_exit is none either" exits 70

"$MMCORE_PROGRAM" --ini run.ini --plugin bad=exits.so --set bad.how=hang --set bad.where=read --out hang >out 2>err </dev/null &
child=$!
tries=0
until [ -d hang ] || [ $tries -ge 50 ]; do sleep 0.1; tries=$((tries + 1)); done
sleep 1
kill -TERM $child
tries=0
until grep -q "has not" err || [ $tries -ge 50 ]; do sleep 0.1; tries=$((tries + 1)); done
status=0
check "the first signal tells in which callback a hanging plugin is" grep -qF "[bad] plugin org.example.exits ($MMCORE_PLUGIN_PATH/exits.so): read has not come back yet" err
kill -TERM $child 2>/dev/null
wait $child
check "the second ends it" [ $? -ge 128 ]

for wrong in encoder decoder; do
	run --ini run.ini --plugin bad=overflows.so --set bad.wrong=$wrong --out "over-$wrong"
	check "the run ends when the $wrong overflows" exits 2
	check "and is named" says err "[bad] plugin org.example.overflows ($MMCORE_PLUGIN_PATH/overflows.so): build_$wrong: its network gives numbers that are not finite"
	once() { [ "$(grep -c 'going back' "$work/err")" -eq 1 ]; }
	check "after one attempt" once
done
run --ini run.ini --plugin bad=overflows.so --set bad.wrong=features --out over-features
check "features that overflow are told apart from rates" says err "build_features of a modality's plugin may scale too much"
finish
