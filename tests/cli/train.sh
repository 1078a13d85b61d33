#!/bin/sh
# train.sh - training, stopping, resuming, sampling and what is refused, with the program as a user runs it.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
ini=$work/tiny.ini

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; }
all_png() {
	for file in "$@"; do
		is_png "$file" || return 1
	done
}

# ---------------------------------------------------------------- a run and its folder
run --ini "$ini" --out "$work/a"
check "a run succeeds" exits 0
check "it says how far it came" says out "finished after 20 iterations"
check "it names the checkpoint" says out "checkpoint $(checkpoint "$work/a" 20)"
check "it names the sheet" says out "samples    $work/a/grids/"
check "checkpoints are where they should be" [ "$(ls "$work/a/checkpoints" | tr '\n' ' ')" = "checkpoint-00000010.safetensors checkpoint-00000020.safetensors " ]
check "sheets are pictures" all_png "$work/a/grids/"*.png
check "there are two sheets" [ "$(ls "$work/a/grids" | wc -l)" -eq 2 ]
check "the resolved settings have defaults in them" grep -q '^lr_energy = ' "$work/a/run.ini"
run --ini "$work/a/run.ini" --out "$work/again"
check "the resolved settings train again" exits 0
check "and give the same bits" cmp "$(checkpoint "$work/a" 20)" "$(checkpoint "$work/again" 20)"

header=$(head -n 1 "$work/a/metrics.csv")
for column in iteration seconds rollbacks elbo u_start u_end nll_end loss_generator loss_inference e_data e_generated e_revised gap \
	z_drift z_noise x_drift x_noise x_step norm_generator norm_inference norm_energy; do
	check "metrics have a column $column" eval 'case ",$header," in *",$column,"*) true ;; *) false ;; esac'
done
check "metrics have a row at the first iteration and each interval" [ "$(cut -d, -f1 "$work/a/metrics.csv" | tr '\n' ' ')" = "iteration 1 5 10 15 20 " ]
rows_are_full() { awk -F, 'NR == 1 { n = NF } NF != n { exit 1 }' "$work/a/metrics.csv"; }
check "every row has every column" rows_are_full
warm_rows() {
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$1 <= 5 && ($at["elbo"] == "" || $at["gap"] != "") { exit 1 }
		$1 > 5 && ($at["elbo"] != "" || $at["gap"] == "") { exit 1 }' "$work/a/metrics.csv"
}
check "warm-up rows have the ELBO, the others the energies" warm_rows

# contents FOLDER: names and sums of its files; the lock holds whoever was there last.
contents() { find "$1" -type f ! -name .lock -exec cksum {} + | sort; }
contents "$work/a" >"$work/before"
run --ini "$ini" --out "$work/a"
check "a folder that holds a run: status 2" exits 2
check "a folder that holds a run is refused" complains "already holds a run"
contents "$work/a" >"$work/after"
check "and left as it was" cmp "$work/before" "$work/after"

# ---------------------------------------------------------------- resuming
run --ini "$ini" --out "$work/a" --resume --set learner.iterations=30
check "a run goes on" exits 0
check "it says where it goes on" says err "resuming after 20 iterations"
run --ini "$ini" --out "$work/b" --set learner.iterations=30
check "a straight run of the same length succeeds" exits 0
check "resumed and straight checkpoints are the same file" cmp "$(checkpoint "$work/a" 30)" "$(checkpoint "$work/b" 30)"
figures "$work/a" >"$work/figures_a"
figures "$work/b" >"$work/figures_b"
check "resumed and straight metrics agree" cmp "$work/figures_a" "$work/figures_b"
run --ini "$ini" --out "$work/a" --resume --set learner.iterations=30 --set run.threads=1
check "a finished run has nothing to do" exits 0
run --ini "$ini" --out "$work/t" --set learner.iterations=30 --set run.threads=1
# The file's header names its settings, among them the number of threads; the data follows it.
data_of() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"; }
data_of "$(checkpoint "$work/b" 30)" >"$work/data_b"
data_of "$(checkpoint "$work/t" 30)" >"$work/data_t"
check "there is data behind the header" [ -s "$work/data_b" ]
check "one thread gives the same bits as two" cmp "$work/data_b" "$work/data_t"

cp -r "$work/b" "$work/other"
contents "$work/other" >"$work/before"
run --ini "$ini" --out "$work/other" --resume --set learner.latent_dim=5
check "another architecture: status 2" exits 2
check "another architecture: the first tensor that differs is named" complains "generator.m0.decoder."
check "and the setting that made it so" eval 'says err "; settings that differ: " && says err "[learner] latent_dim was 4, is 5"'
run --ini "$ini" --out "$work/other" --resume --set energy.nef=5
check "another energy model is refused by its tensor" complains "energy.trunk"
contents "$work/other" >"$work/after"
check "a refused run folder is left as it was" cmp "$work/before" "$work/after"

truncate -s 1000 "$(checkpoint "$work/other" 30)"
run --ini "$ini" --out "$work/other" --resume --set learner.iterations=30
check "after a damaged checkpoint the one before it is used" says err "resuming after 20 iterations"
check "and the run ends where it would have" cmp "$(checkpoint "$work/other" 30)" "$(checkpoint "$work/b" 30)"

# ---------------------------------------------------------------- Ctrl-C
wait_for() { # wait_for FILE SECONDS
	tries=$(($2 * 10))
	while [ ! -e "$1" ] && [ "$tries" -gt 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
	[ -e "$1" ]
}
"$MMCORE_PROGRAM" --ini "$ini" --out "$work/c" --set learner.iterations=1000000 --set run.checkpoint_interval=500000 \
	--set run.grid_interval=10 >"$work/out" 2>"$work/err" </dev/null &
pid=$!
check "a long run is under way" wait_for "$work/c/grids/samples-00000010.png" 60
kill -INT "$pid"
status=0
wait "$pid" || status=$?
check "Ctrl-C: status 130" exits 130
check "Ctrl-C: it says so" says out "interrupted after"
stopped=$(newest "$work/c")
check "Ctrl-C: a checkpoint is written" [ "$stopped" -gt 0 ]
check "Ctrl-C: of the iteration reached" says out "interrupted after $stopped iterations"
# interrupted NAME STATUS: a run that got the signal.
interrupted() {
	"$MMCORE_PROGRAM" --ini "$ini" --out "$work/sig$1" --set learner.iterations=1000000 --set run.checkpoint_interval=500000 \
		--set run.grid_interval=2 >"$work/out" 2>"$work/err" </dev/null &
	pid=$!
	wait_for "$work/sig$1/grids/samples-00000002.png" 60
	kill -"$1" "$pid"
	status=0
	wait "$pid" || status=$?
	check "SIG$1: status $2" exits "$2"
	check "SIG$1: a checkpoint is written" [ "$(newest "$work/sig$1")" -gt 0 ]
}
interrupted TERM 143
interrupted HUP 129
(trap '' HUP; "$MMCORE_PROGRAM" --ini "$ini" --out "$work/nohup" >"$work/out" 2>"$work/err" </dev/null & pid=$!; wait_for "$work/nohup/metrics.csv" 60
	kill -HUP "$pid"; wait "$pid") && status=0 || status=$?
check "a run that was told to ignore SIGHUP does" exits 0
run --ini "$ini" --out "$work/c" --resume --set learner.iterations=$((stopped + 2))
check "an interrupted run goes on" says out "finished after $((stopped + 2)) iterations"

# ---------------------------------------------------------------- sampling
ckpt=$(checkpoint "$work/b" 30)
run sample --ckpt "$ckpt" --count 3 --x-steps 2 --grid "$work/s/grid.png" --out "$work/s/files"
check "sampling into a folder that is not there yet succeeds" exits 0
check "the grid is a picture" is_png "$work/s/grid.png"
check "there is a file for each sample, modality and kind" [ "$(find "$work/s/files" -name 'm[01]-0000[012].png' | wc -l)" -eq 12 ]
check "samples are pictures" all_png "$work/s/files/generator/m0-00000.png" "$work/s/files/revised/m1-00002.png"
check "sample says what each file is" [ "$(head -n 1 "$work/s/files/manifest.csv")" = "sample,kind,modality,file,seed,number,candidates,guide_steps,x_steps,text" ]
check "in a row a file" grep -qx "2,revised,m1,revised/m1-00002.png,1,0,1,0,2," "$work/s/files/manifest.csv"
check "and no others" [ "$(wc -l <"$work/s/files/manifest.csv")" -eq 13 ]
run sample --ckpt "$ckpt" --count 3 --x-steps 2 --out "$work/s/twice"
check "the same samples come out again" diff -r "$work/s/files" "$work/s/twice"
run sample --ckpt "$ckpt" --count 3 --x-steps 2 --out "$work/s/third" --number 7
check "another number gives other samples" eval '! cmp -s "$work/s/files/generator/m0-00000.png" "$work/s/third/generator/m0-00000.png"'
run sample --ckpt "$ckpt" --count 65 --x-steps 0 --guide-steps 0 --out "$work/s/long"
run sample --ckpt "$ckpt" --count 1 --x-steps 0 --guide-steps 0 --out "$work/s/next" --number 1
check "also than those beyond the first block of the number before" eval '[ -f "$work/s/long/generator/m0-00064.png" ] &&
	! cmp -s "$work/s/long/generator/m0-00064.png" "$work/s/next/generator/m0-00000.png"'
run sample --ckpt "$ckpt" --count 2 --x-steps 0 --out "$work/s/still"
check "without steps nothing is revised" diff -r "$work/s/still/generator" "$work/s/still/revised"
run sample --ckpt "$ckpt" --count 2 --guide-steps 6 --x-steps 0 --out "$work/s/guided"
check "the guide makes other samples of the same draws" eval 'diff -r "$work/s/still/generator" "$work/s/guided/generator" &&
	! cmp -s "$work/s/still/revised/m0-00000.png" "$work/s/guided/revised/m0-00000.png"'
check "which the manifest says" grep -qx "1,revised,m1,revised/m1-00001.png,1,0,1,6,0," "$work/s/guided/manifest.csv"
run sample --ckpt "$ckpt" --count 2 --x-steps 0 --set sample.latent_steps=6 --out "$work/s/set"
check "by default its steps are those of the settings" diff -r "$work/s/guided" "$work/s/set"
run sample --ckpt "$ckpt" --count 2 --candidates 9 --x-steps 0 --out "$work/s/chosen"
check "candidates make other samples of the same draws" eval 'diff -r "$work/s/still/generator" "$work/s/chosen/generator" &&
	! diff -r "$work/s/still/revised" "$work/s/chosen/revised"'
check "and the manifest says of how many" grep -qx "1,revised,m1,revised/m1-00001.png,1,0,9,0,0," "$work/s/chosen/manifest.csv"
run --ini "$ini" --out "$work/warm" --set run.checkpoint_interval=4 --set run.checkpoint_keep=9
run sample --ckpt "$(checkpoint "$work/warm" 4)" --count 2 --guide-steps 6 --x-steps 2 --out "$work/s/warm"
check "an energy that was not trained moves nothing" diff -r "$work/s/warm/generator" "$work/s/warm/revised"
check "which the manifest says, too" grep -qx "1,revised,m1,revised/m1-00001.png,1,0,1,0,0," "$work/s/warm/manifest.csv"
run sample --ckpt "$work/none.safetensors" --grid "$work/x.png"
check "a missing checkpoint: status 2" exits 2
check "a missing checkpoint is named" complains "none.safetensors"
run sample --ckpt "$ini" --grid "$work/x.png"
check "a file that is no checkpoint: status 2" exits 2
run sample --ckpt "$ckpt"
check "nothing to write is refused" complains "--grid"

# ---------------------------------------------------------------- information
run info "$ckpt"
check "info succeeds" exits 0
for text in "iteration   30" "modalities  m0,m1" "generator " "inference " "energy " " parameters in "; do
	check "info tells '$text'" says out "$text"
done
run info --tensors --settings "$ckpt"
check "info lists tensors" says out "generator.m0.decoder."
check "info prints settings" says out "latent_dim = 4"

# ---------------------------------------------------------------- what is refused before anything is written
# refused NAME TEXT ARGUMENT...
refused() {
	what=$1 text=$2
	shift 2
	run --out "$work/never" "$@"
	check "$what: status 2" exits 2
	check "$what: one clear line" complains "$text"
	check "$what: nothing is written" [ ! -e "$work/never" ]
}
refused "a missing file" "missing.ini" --ini "$work/missing.ini"
refused "an unknown key" 'learner.iteration=3: unknown key; did you mean "iterations"?' --ini "$ini" --set learner.iteration=3
refused "an unknown section" "lerner" --ini "$ini" --set lerner.batch=3
refused "a key the plugin does not know" 'm0.widht=3: unknown key; did you mean "width"?' --ini "$ini" --set m0.widht=3
refused "a word for a number" "learner.batch=many: expected an integer" --ini "$ini" --set learner.batch=many
refused "a number out of range" "learner.batch=0: expected an integer from 1" --ini "$ini" --set learner.batch=0
refused "a wrong choice" "learner.experts=two: expected one of one, all" --ini "$ini" --set learner.experts=two
refused "a wrong step" "learner.x_step=auto(2): expected a step size above 0, or auto(d)" --ini "$ini" --set 'learner.x_step=auto(2)'
refused "a missing data folder" "/nowhere" --ini "$ini" --set data.root=/nowhere
refused "a missing plugin" "missing.so" --ini "$ini" --plugin m2=missing.so
refused "a batch larger than the data" "[learner] batch = 301" --ini "$ini" --set learner.batch=301
refused "nothing to resume" "nothing to resume" --ini "$ini" --resume
sed 's/^batch = 8/batch = eight/' "$ini" >"$work/wrong.ini"
refused "a word in a file" "$work/wrong.ini:12: [learner] batch = eight: expected an integer" --ini "$work/wrong.ini"
sed 's/^width = 2/widths = 2/' "$ini" >"$work/wrong.ini"
refused "an unknown key in a file" "$work/wrong.ini:22: [m0] widths = 2: unknown key" --ini "$work/wrong.ini"
printf '[learner]\nbatch = 4\n' >"$work/empty.ini"
refused "no modality" "no modality" --ini "$work/empty.ini"
printf '[learner\nbatch = 4\n' >"$work/broken.ini"
refused "a broken line" "broken.ini" --ini "$work/broken.ini"

# ---------------------------------------------------------------- what ends a run
sed 's/^\[run\]/[run]\nminutes = 5/' "$ini" >"$work/minutes.ini"
run --ini "$work/minutes.ini" --out "$work/counted" --set learner.iterations=8
check "iterations on the command line end a run that has minutes in its INI" says out "finished after 8 iterations"
check "which is told first" says err "the run ends after 8 iterations; the energy model is trained after 5 iterations of warm-up"
check "its resolved settings say the same" grep -qx 'minutes = 0' "$work/counted/run.ini"
refused "iterations beside minutes" "learner.iterations=8: expected no time budget" --ini "$ini" --minutes 5 --set learner.iterations=8
refused "minutes twice" "--minutes and --set run.minutes=3: give one of them" --ini "$ini" --minutes 5 --set run.minutes=3
refused "a seed beyond the largest" "expected an integer from 0 to 9223372036854775807" --ini "$ini" --set run.seed=9223372036854775808
refused "a dry run that goes on" "--dry-run is for a run that has not begun" --ini "$ini" --resume --dry-run
run --ini "$ini" --out "$work/dry" --dry-run
check "a dry run succeeds" exits 0
check "and prints every setting" says out "batch = 8"
check "and what the run would take" eval 'says out "training data  300 tuples" && says out "parameters     generator " && says out "with chains " && says out "run            about 20 iterations"'
check "and writes nothing" [ ! -e "$work/dry" ]
run --ini "$ini" --out "$work/quiet" --set learner.iterations=6 --quiet
check "--quiet: no news" eval 'exits 0 && silent err && says out "finished after 6 iterations"'
run train --resume --out "$work/quiet"
check "a run goes on with its own settings" says out "finished after 6 iterations"
run train --resume --out "$work/quiet" --set learner.iterations=7
check "and with one more" says out "finished after 7 iterations"
refused "changed data without going on" "--changed-data needs --resume" --ini "$ini" --changed-data
run --ini "$ini" --out "$work/counted" --resume --set run.seed=4 --set learner.iterations=9
check "another seed is refused: status 2" exits 2
check "with the option that allows it" says err "[run] seed was 1, is 4: the run would go on with other data, or see it in another order; give the former value, or --changed-data"
run --ini "$ini" --out "$work/counted" --resume --set run.seed=4 --set learner.iterations=9 --changed-data
check "and goes on with that" says out "finished after 9 iterations"
check "every change is told" eval 'says err "[run] seed was 1, is 4" && says err "[learner] iterations was 8, is 9"'
run --ini "$ini" --out "$work/still" --set learner.z_steps=0 --set learner.warmup=0
check "without a posterior chain there is no U to tell" eval 'says err "NLL " && ! grep -qi "nan" "$work/err"'
run --ini "$ini" --out "$work/baseline" --set learner.objective=mmvae
check "a baseline has no warm-up" eval 'says err "-ELBO" && ! says err "warm-up"'
run --ini "$ini" --out "$work/allwarm" --set learner.warmup=20
check "a run that is all warm-up says so at its end, too" says err "the energy model was not trained: all of the run was warm-up"
status=0
(ulimit -f 40; exec "$MMCORE_PROGRAM" --ini "$ini" --out "$work/limited" --set run.grid_interval=1000) >"$work/out" 2>"$work/err" </dev/null || status=$?
check "a limit on the size of files: status 1" exits 1
check "a limit on the size of files: the file is named" says err "checkpoint-00000010.safetensors: File too large"

# ---------------------------------------------------------------- guards
run --ini "$ini" --out "$work/wild" --set learner.lr_generator=10 --set m0.output=linear --set m1.output=linear \
	--set learner.warmup=0 --set learner.z_steps=10 --set learner.max_rollbacks=2
check "training that breaks down: status 1" exits 1
check "it goes back first" says err "going back to the last snapshot"
check "then it gives up and says what to do" says err "Lower the learning rates"
finish
