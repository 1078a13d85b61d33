#!/bin/sh
# cuda.sh - [run] device = cuda, as a user runs it, with the module for the emulated device: training, sampling, a run that goes on on
# the other device, and what is told where something is missing.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
unpack_pictures
# Two iterations of the warm-up, then whole ones.
sed "s/^warmup = 5/warmup = 2/; s/^log_interval = 5/log_interval = 2/; s/_steps = 2/_steps = 1/; s/^limit = .*/limit = 40/; s/^grid_columns = .*/grid_columns = 1/" \
	"$work/tiny.ini" >"$work/short.ini"
ini=$work/short.ini
emulated=$PWD/tests/cuda/.libs

# ---------------------------------------------------------------- what is missing
# refused NAME TEXT: status 2, one line with the text, and no run folder.
refused() {
	check "$1: status 2" exits 2
	check "$1 is told" complains "[run] device = cuda: $2"
	check "$1: nothing is written" [ ! -e "$work/none" ]
}
MMCORE_BACKENDS=$work
export MMCORE_BACKENDS
run --ini "$ini" --set run.device=cuda --out "$work/none"
refused "no module" "there is no backend-cuda.so in $work; configure with --with-cuda"
echo "no library" >"$work/backend-cuda.so"
run --ini "$ini" --set run.device=cuda --out "$work/none"
refused "a module that does not open" "$work/backend-cuda.so: "
MMCORE_BACKENDS=$emulated
EMU_DRIVER=0 run --ini "$ini" --set run.device=cuda --out "$work/none"
refused "no driver" "no NVIDIA driver on this machine; install one for CUDA 13.0 or newer, or set device = cpu"
EMU_DRIVER=12040 run --ini "$ini" --set run.device=cuda --out "$work/none"
refused "an old driver" "the driver is for CUDA 12.4, this build needs 13.0; install a newer driver"
EMU_DEVICES=0 run --ini "$ini" --set run.device=cuda --out "$work/none"
refused "no card" "the driver finds no NVIDIA GPU on this machine; set device = cpu"
run --ini "$ini" --set run.device=cuda --set run.clock=cpu --set run.minutes=1 --out "$work/none"
check "processor time on a GPU is refused" complains "run.clock=cpu: expected wall"
run --ini "$ini" --set run.device=gpu --out "$work/none"
check "an unknown device is refused with those there are" complains "cuda"

# ---------------------------------------------------------------- a run
run --ini "$ini" --set run.device=cuda --set run.precision=float32 --set learner.iterations=6 --out "$work/gpu"
check "a run succeeds" exits 0
check "it says how far it came" says out "finished after 6 iterations"
run --ini "$ini" --set learner.iterations=6 --out "$work/cpu"
check "the same run on the host succeeds" exits 0
# Figures that both have, within a hundredth.
close() {
	paste -d, "$1/metrics.csv" "$2/metrics.csv" | awk -F, '
		NR == 1 { n = NF / 2; for (i = 1; i <= n; i++) name[i] = $i; next }
		{ for (i = 1; i <= n; i++) if (name[i] ~ /^(elbo|u_start|norm_generator|loss_inference|e_data)$/) {
			if (($i == "") != ($(i + n) == "")) exit 1
			seen += $i != ""
			apart = ($i - $(i + n)) / ($(i + n) + ($(i + n) == 0))
			if (apart > 0.01 || apart < -0.01) exit 1 } }
		END { exit !seen }'
}
check "its figures are the host's" close "$work/gpu" "$work/cpu"
run --ini "$ini" --set run.device=cuda --set run.precision=float32 --set learner.iterations=6 --out "$work/again"
check "the same run twice has the same bits" cmp "$(checkpoint "$work/gpu" 6)" "$(checkpoint "$work/again" 6)"
EMU_GRAPHS=0 run --ini "$ini" --set run.device=cuda --set run.precision=float32 --set learner.iterations=6 --out "$work/unrecorded"
check "where nothing can be recorded it has them, too" cmp "$(checkpoint "$work/gpu" 6)" "$(checkpoint "$work/unrecorded" 6)"
run info "$(checkpoint "$work/gpu" 6)"
check "a checkpoint says what computed it" says out "cuda/emulated, CUDA 13.0"

# ---------------------------------------------------------------- in bfloat16
bf16="--set run.device=cuda --set run.precision=bfloat16 --set learner.iterations=6 --set run.checkpoint_interval=3"
run --ini "$ini" $bf16 --out "$work/bf16"
check "a run in bfloat16 succeeds" exits 0
cp -r "$work/bf16" "$work/bf16-part"
rm "$(checkpoint "$work/bf16-part" 6)"
run --ini "$ini" $bf16 --out "$work/bf16-part" --resume
check "from its middle on it has the same bits" cmp "$(checkpoint "$work/bf16" 6)" "$(checkpoint "$work/bf16-part" 6)"
run info "$(checkpoint "$work/bf16" 6)"
check "its checkpoint says what computed it" says out "cuDNN 9.8, bfloat16"
floats() { grep -aq '"F32"' "$1" && ! grep -aq '"BF16"' "$1"; }
check "its checkpoint's tensors are floats" floats "$(checkpoint "$work/bf16" 6)"
run --ini "$ini" --set run.device=cpu --set run.precision=float32 --set learner.iterations=8 --out "$work/bf16" --resume
check "and the host goes on with it" exits 0

# ---------------------------------------------------------------- from one device to the other
run --ini "$ini" --set learner.iterations=8 --set run.device=cpu --out "$work/gpu" --resume
check "the host goes on with a GPU's run" exits 0
run --ini "$ini" --set learner.iterations=8 --set run.device=cuda --out "$work/cpu" --resume
check "a GPU goes on with the host's run" exits 0
run sample --ckpt "$(checkpoint "$work/cpu" 8)" --count 3 --grid "$work/samples.png"
check "samples are drawn on the GPU" exits 0
run sample --ckpt "$(checkpoint "$work/cpu" 8)" --set run.device=cpu --count 3 --grid "$work/host.png"
check "and on the host" exits 0
run translate --ckpt "$(checkpoint "$work/cpu" 8)" --given m0 --test 0,1 --out "$work/translated"
check "modalities are made from others on the GPU" exits 0
run interpolate --ckpt "$(checkpoint "$work/cpu" 8)" --from 0 --to 1 --steps 3 --grid "$work/between.png"
check "the way between two tuples is drawn there" exits 0
run trace --ckpt "$(checkpoint "$work/cpu" 8)" --out "$work/trace"
check "chains are traced there" exits 0
run encode --ckpt "$(checkpoint "$work/cpu" 8)" --out "$work/latents"
check "latents are written from the GPU" exits 0
run score --ckpt "$(checkpoint "$work/cpu" 8)" --test 5
check "tuples are scored on the GPU" exits 0
for covariance in diagonal full; do
	run fit-prior --ckpt "$(checkpoint "$work/cpu" 8)" --components 2 --covariance $covariance --out "$work/$covariance.safetensors"
	check "a prior of $covariance covariances is fitted there" exits 0
	run sample --ckpt "$work/$covariance.safetensors" --set sample.prior=fitted --count 3 --grid "$work/$covariance.png"
	check "samples of it are drawn on the GPU" exits 0
done
finish
