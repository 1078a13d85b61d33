#!/bin/sh
# kill.sh - kill -9 at any moment: the run goes on from its newest checkpoint, never from an earlier one, and ends with the
# bits of a run that nobody killed. MMCORE_KILLS says how often (10).
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
kills=${MMCORE_KILLS:-10}
folder=$work/killed
seed=12345

# below N: a number in 0..N-1, the same sequence every time.
below() {
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	echo $((seed / 65536 % $1))
}

pause() { sleep "0.$(printf '%03d' "$1")"; }

# Training without end, in the background, a checkpoint each iteration.
start() {
	"$MMCORE_PROGRAM" --ini "$work/tiny.ini" --out "$folder" "$@" --set learner.iterations=1000000 --set run.checkpoint_interval=1 \
		--set run.log_interval=1 --set run.grid_interval=1000000 --set run.checkpoint_keep=2 --set m0.limit=60 --set m1.limit=60 \
		>"$work/out" 2>"$work/err" </dev/null &
	pid=$!
}

# Waits until a checkpoint newer than $1 is there, or half a minute.
wait_for_more_than() {
	tries=300
	while [ "$(newest "$folder")" -le "$1" ] && [ "$tries" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
		tries=$((tries - 1))
	done
}

resumed_from() { sed -n 's/^.*resuming after \([0-9]*\) iterations.*$/\1/p' "$work/err"; }

# What the newest checkpoint promised is where the run went on, if it lived long enough to say so.
kept_its_promise() { [ -z "$from" ] || [ "$from" -eq "$durable" ]; }
not_refused() { ! grep -q '^mmcore: ' "$work/err" || grep -q '^mmcore: warning: .* no checkpoint yet' "$work/err"; }

durable=0
resume=
round=1 resumed=0
while [ "$round" -le "$kills" ]; do
	start $resume
	# Half of the rounds die early, wherever they are then; the others after some progress.
	[ $((round % 2)) -eq 0 ] || wait_for_more_than "$durable"
	pause "$(below 300)"
	kill -9 "$pid" 2>/dev/null
	status=0
	wait "$pid" 2>/dev/null || status=$?
	from=$(resumed_from)
	[ -z "$from" ] || resumed=$((resumed + 1))
	check "kill $round: the run was under way" exits 137
	check "kill $round: it had gone on from the newest checkpoint" kept_its_promise
	check "kill $round: nothing was refused" not_refused
	check "kill $round: no iteration is lost" [ "$(newest "$folder")" -ge "$durable" ]
	durable=$(newest "$folder")
	[ ! -e "$folder" ] || [ ! -e "$folder/run.ini" ] || resume=--resume
	round=$((round + 1))
done

last=$((durable + 2))
complete() { # complete FOLDER OPTION...: up to the last iteration
	run --ini "$work/tiny.ini" --out "$@" --set learner.iterations="$last" --set run.checkpoint_interval=1000000 \
		--set run.log_interval=1 --set run.grid_interval=1000000 --set run.checkpoint_keep=2 --set m0.limit=60 --set m1.limit=60
}

check "there was progress" [ "$durable" -gt 0 ]
check "and many a round went on from the one before" [ "$((2 * resumed))" -ge "$((kills - 2))" ]
complete "$folder" --resume
check "after $kills kills the run comes to its end" exits 0
check "from the newest checkpoint" [ "$(resumed_from)" = "$durable" ]
check "no temporary files are left" [ "$(ls -A "$folder/checkpoints" | grep -cv '^checkpoint-[0-9]*\.safetensors$')" -eq 0 ]
complete "$work/straight"
check "a run that nobody killed" exits 0
check "has the same bits" cmp "$(checkpoint "$folder" "$last")" "$(checkpoint "$work/straight" "$last")"
figures "$folder" >"$work/figures_a"
figures "$work/straight" >"$work/figures_b"
check "and the same metrics" cmp "$work/figures_a" "$work/figures_b"
finish
