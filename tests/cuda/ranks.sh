#!/bin/sh
# ranks.sh - [run] device = cuda on several ranks, with the modules for MPI and for the emulated device: a batch in chunks on the card
# has the same bits however many ranks share it.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
. "${srcdir:?}/tests/cli/ranks_rig.sh"
mkdir "$work/modules"
ln -s "$PWD/core/comm/.libs/comm-mpi.so" "$PWD/tests/cuda/.libs/backend-cuda.so" "$work/modules"
MMCORE_BACKENDS=$work/modules EMU_DEVICES=8
export MMCORE_BACKENDS EMU_DEVICES

# A loss across rows, and losses of several chains (E_match's is in nccl.sh). Eight chunks of one.
sed "s/^warmup = 5/warmup = 1/; s/_steps = 2/_steps = 1/; s/^limit = .*/limit = 40/; s/^grid_columns = .*/grid_columns = 1/" "$work/tiny.ini" >"$work/ranks.ini"
ini=$work/ranks.ini
cat >>"$ini" <<END
[run]
device = cuda
device_chunk = 1
precision = float32
[data]
hide = 0.2
[learner]
contrast_factor = 1
END
long=3
run --ini "$ini" --out "$work/one" --set learner.iterations=$long
check "one card: a run in eight chunks" exits 0
figures "$work/one" >"$work/figures_one"
for n in 2 4; do
	ranks $n --ini "$ini" --out "$work/of$n" --set learner.iterations=$long
	check "$n ranks: a run succeeds" exits 0
	check "$n ranks: the checkpoint of one" cmp "$(checkpoint "$work/of$n" $long)" "$(checkpoint "$work/one" $long)"
	figures "$work/of$n" >"$work/figures"
	check "$n ranks: the metrics of one" cmp "$work/figures" "$work/figures_one"
done
ranks 2 --ini "$ini" --out "$work/one" --resume --set learner.iterations=4
check "two ranks go on with a run of one" says err "resuming after $long iterations"
run --ini "$ini" --out "$work/of4" --resume --set learner.iterations=4
check "one goes on with a run of four, to the same bits" cmp "$(checkpoint "$work/of4" 4)" "$(checkpoint "$work/one" 4)"

# ---------------------------------------------------------------- how many at once
# The settings in two checkpoints say how many; nothing else may differ.
apart() { cmp -l "$1" "$2" | wc -l; }
first="--set learner.warmup=0 --set learner.iterations=1"
run --ini "$ini" --out "$work/by4" $first --set run.device_chunk=4
ranks 2 --ini "$ini" --out "$work/auto2" $first --set run.device_chunk=0
check "by default each rank takes its part at once" [ "$(apart "$(checkpoint "$work/auto2" 1)" "$(checkpoint "$work/by4" 1)")" -eq 1 ]
run --ini "$ini" --out "$work/auto" $first --set run.device_chunk=0
run --ini "$ini" --out "$work/by5" $first --set run.device_chunk=5
check "and one alone the whole batch" [ "$(apart "$(checkpoint "$work/auto" 1)" "$(checkpoint "$work/auto2" 1)")" -gt 1 ]
check "what does not divide a batch is rounded down" [ "$(apart "$(checkpoint "$work/by5" 1)" "$(checkpoint "$work/by4" 1)")" -eq 1 ]
ranks 2 --ini "$ini" --out "$work/none" --set run.device_chunk=8
check "one chunk is refused" eval 'exits 2 && says err "1 chunks, which 2 ranks cannot share"'
finish
