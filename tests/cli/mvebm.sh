#!/bin/sh
# mvebm.sh - a baseline whose prior is an energy of latents: trained, stopped and resumed; its chain draws latents wherever samples are
# made.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
ini=$work/tiny.ini
objective="--set learner.objective=mvebm --set learner.prior_steps=20 --set learner.lr_energy=0.01"
differ() { [ -s "$1" ] && [ -s "$2" ] && ! cmp -s "$1" "$2"; }

# shellcheck disable=SC2086 # a list
run --ini "$ini" --out "$work/a" $objective
check "it trains" exits 0
check "what becomes of the energy is said" says err "the energy of its latent prior is trained, and no other"
column() {
	awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } $at == "" { exit 1 }' "$work/a/metrics.csv"
}
for name in elbo e_data e_revised gap norm_energy; do
	check "metrics have $name in every row" column "$name"
done
# shellcheck disable=SC2086
run --ini "$ini" --out "$work/b" $objective --set learner.iterations=10
# shellcheck disable=SC2086
run --ini "$ini" --out "$work/b" $objective --resume
check "a run that stopped goes on" exits 0
check "to the same bits" cmp "$(checkpoint "$work/a" 20)" "$(checkpoint "$work/b" 20)"

# ---------------------------------------------------------------- draws of the prior, everywhere
ckpt=$(checkpoint "$work/a" 20)
none="--set learner.prior_steps=0"
run sample --ckpt "$ckpt" --count 4 --out "$work/s"
check "samples are drawn" exits 0
run sample --ckpt "$ckpt" --count 4 --out "$work/s2"
check "the same again" diff -r "$work/s" "$work/s2"
# shellcheck disable=SC2086
run sample --ckpt "$ckpt" --count 4 --out "$work/s0" $none
check "by the chain" differ "$work/s/generator/m0-00000.png" "$work/s0/generator/m0-00000.png"
run interpolate --ckpt "$ckpt" --prior --grid "$work/i.png"
check "ends of an interpolation are" exits 0
# shellcheck disable=SC2086
run interpolate --ckpt "$ckpt" --prior --grid "$work/i0.png" $none
check "by the chain as well" differ "$work/i.png" "$work/i0.png"
frechet() {
	# shellcheck disable=SC2086
	run eval --ckpt "$ckpt" --count 64 --only frechet --out "$1" $2
	[ "$status" -eq 0 ] && grep "pca" "$1/eval.csv" >"$1.line"
}
check "samples are measured" frechet "$work/e" ""
check "and others without the chain" frechet "$work/e0" "$none"
check "which are further or nearer" differ "$work/e.line" "$work/e0.line"
run score --ckpt "$ckpt" --test 4
check "there is no energy of tuples" says err "this checkpoint's objective trains none"
run translate --ckpt "$ckpt" --given "m0=$work/s/generator/m0-00000.png" --out "$work/t"
check "translations are drawn from the experts" exits 0
run fit-prior --ckpt "$ckpt" --components 2 --out "$work/f.safetensors"
check "a prior is fitted beside it" exits 0
# shellcheck disable=SC2086
run sample --ckpt "$work/f.safetensors" --count 4 --out "$work/f" --set sample.prior=fitted
# shellcheck disable=SC2086
run sample --ckpt "$work/f.safetensors" --count 4 --out "$work/f0" --set sample.prior=fitted $none
check "whose draws no chain moves" diff -r "$work/f" "$work/f0"
finish
