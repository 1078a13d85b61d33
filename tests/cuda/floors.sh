#!/bin/sh
# floors.sh - what one iteration of polymnist-paper.ini moves at least, counted from its compiled plans (docs/CUDA.md): no more than it did. Chains
# have one step here; with the preset's 30 it is 1,298 and 660 GB.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"

tests/cuda/presets floors "$srcdir/configs/polymnist-paper.ini" "data.root=$data" learner.x_steps=1 learner.z_steps=1 >"$work/floors" 2>"$work/err"
status=$?
cp "$work/floors" "$work/out"

# moves TYPE MOST: at most so many gigabytes with maps of that type, and more than half of it.
moves() {
	awk -v type="$1" -v most="$2" '$1 == type { sub(/.*products; /, ""); found = $1 + 0 } END { exit !(found <= most && found > most / 2) }' "$work/floors"
}
check "at most 146 GB with maps in float32" moves float32 146
check "at most 74 GB with maps in bfloat16" moves bfloat16 74
sed 's/^/# /' "$work/floors"
finish
