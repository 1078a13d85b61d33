#!/bin/sh
# info.sh - checkpoints without what only training needs, and of models that were not trained.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"

run --ini "$work/tiny.ini" --out "$work/run"
whole=$(checkpoint "$work/run" 20) small=$work/small.safetensors
size() { wc -c <"$1"; }
run info "$whole" --strip "$small"
check "a checkpoint is stripped" eval 'exits 0 && says out "stripped    $small"'
check "it is less than half as large" [ $((2 * $(size "$small"))) -lt "$(size "$whole")" ]
run info "$small" --tensors
check "without moments and snapshot" eval 'exits 0 && ! grep -q "adam_[mv]\|snapshot" "$work/out"'
check "with the parameters" says out "generator.m0.decoder."

for file in "$whole" "$small"; do
	run sample --ckpt "$file" --count 2 --out "$work/samples$(size "$file")"
done
check "samples are the same" diff -r --exclude=manifest.csv "$work/samples$(size "$whole")" "$work/samples$(size "$small")"

cp -r "$work/run" "$work/other"
rm -f "$work/other/checkpoints/"*
cp "$small" "$work/other/checkpoints/checkpoint-00000020.safetensors"
run --ini "$work/tiny.ini" --out "$work/other" --resume --set learner.iterations=25
check "no run goes on from it, which is said" eval 'exits 2 && complains "stripped of what training needs"'
run info "$small" "$whole" --strip "$work/x.safetensors"
check "one checkpoint at a time" eval 'exits 2 && complains "--strip is for one checkpoint"'
run info "$whole" --strip /nonexistent/x.safetensors
check "where it cannot be written that is said" eval '! exits 0 && complains "/nonexistent"'

run --ini "$work/tiny.ini" --out "$work/none" --set learner.iterations=0 --set learner.warmup=0
check "no iterations end with a checkpoint" [ -r "$(checkpoint "$work/none" 0)" ]
run sample --ckpt "$work/none" --count 2 --out "$work/untrained"
check "which can be used" exits 0
finish
