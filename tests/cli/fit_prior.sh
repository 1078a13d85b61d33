#!/bin/sh
# fit_prior.sh - a prior that is fitted to a trained model: stored, used where asked for, the same again; clusters left out.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
ini=$work/tiny.ini

differ() { ! cmp -s "$1" "$2"; }
picture() { echo "$1/generator/m0-00000.png"; }
draw() { run sample --ckpt "$1" --count 4 --out "$2" --set "sample.prior=$3"; }

run --ini "$ini" --out "$work/run"
check "a model is trained" exits 0
ckpt=$(checkpoint "$work/run" 20)
cp "$ckpt" "$work/before.safetensors"
draw "$ckpt" "$work/none" fitted
check "without a fitted prior none is drawn from" exits 2
check "the message says how to get one" says err "mmcore fit-prior"
draw "$ckpt" "$work/own" model
draw "$ckpt" "$work/auto" auto
check "auto draws from the model's own prior then" diff -r "$work/own" "$work/auto"
run fit-prior --ckpt "$work/run" --components 3 --out "$work/three.safetensors"
check "a prior is fitted to a run's best or newest model" exits 0
check "it is described" says out "of 3 components, diagonal"
check "the checkpoint stays as it was" cmp "$ckpt" "$work/before.safetensors"
run fit-prior --ckpt "$ckpt" --components 3
check "by default it goes into the checkpoint" exits 0
check "it is the same again, whatever the threads" cmp "$ckpt" "$work/three.safetensors"
run fit-prior --ckpt "$work/before.safetensors" --components 3 --set run.threads=1 --out "$work/one.safetensors"
check "one thread finds the same" cmp "$work/one.safetensors" "$work/three.safetensors"
run info "$ckpt"
check "info tells of it" says out "fitted "
draw "$ckpt" "$work/model" model
check "samples of the model's own prior do not change" diff -r "$work/own" "$work/model"
draw "$ckpt" "$work/fitted" fitted
check "samples are drawn from it where asked" exits 0
check "they are others" differ "$(picture "$work/model")" "$(picture "$work/fitted")"
draw "$ckpt" "$work/fitted2" fitted
check "the same again" diff -r "$work/fitted" "$work/fitted2"
run sample --ckpt "$ckpt" --count 4 --out "$work/default"
check "and by default, now that there is one" diff -r "$work/fitted" "$work/default"
run fit-prior --ckpt "$ckpt" --components 2 --count 64 --covariance full --set sample.prior=fitted
check "an older one is replaced, full covariances or not" exits 0
check "it is described" says out "of 2 components, full"
draw "$ckpt" "$work/full" fitted
check "samples are drawn from that one" differ "$(picture "$work/full")" "$(picture "$work/fitted")"
run --ini "$ini" --out "$work/run" --resume --set learner.iterations=25
check "a run goes on from such a checkpoint" exits 0

# ---------------------------------------------------------------- at the end of a run
has_prior() { run info "$1" && says out "fitted "; }
run --ini "$ini" --out "$work/end" --set sample.components=3
check "a run fits one in its end" exits 0
check "the log tells what was found" says err "a prior fitted to z: 3 of 3 components"
run fit-prior --ckpt "$work/end" --components 3 --out "$work/again.safetensors"
check "it is the command's" cmp "$work/again.safetensors" "$(checkpoint "$work/end" 20)"
run --ini "$ini" --out "$work/end0"
check "the last sheet is drawn from it" differ "$work/end0/grids/samples-00000020.png" "$work/end/grids/samples-00000020.png"
check "the ones before are not" cmp "$work/end0/grids/samples-00000010.png" "$work/end/grids/samples-00000010.png"
run --ini "$ini" --out "$work/end" --resume --set sample.components=3 --set learner.iterations=25
check "of the checkpoint that stands for the run" has_prior "$(checkpoint "$work/end" 25)"
run --ini "$ini" --out "$work/run" --resume --set learner.iterations=25 --set sample.components=2
check "a run that had ended without gets it when it goes on" has_prior "$(checkpoint "$work/run" 25)"
run --ini "$ini" --out "$work/many" --set sample.components=400
check "where it cannot be fitted the run has ended all the same" exits 0
check "and a warning says why" says err "no prior was fitted ([sample] components = 400): the prior of z: 400 components for"
run --ini "$ini" --out "$work/best" --set sample.components=3 --set run.select=nll --set data.holdout=16
check "the best checkpoint stands for a run that has one" has_prior "$work/best/best.safetensors"
run sample --ckpt "$work/best" --count 1 --out "$work/b" --set sample.prior=fitted
check "and has the prior" exits 0
run eval --ckpt "$work/best" --count 16 --only frechet --out "$work/eval"
check "an evaluation says that its samples are of it" says out "fitted, 3 components"
run ablate --ini "$ini" --out "$work/grid" --sweep learner.z_steps=1,2 --set sample.components=3
check "runs of a grid fit theirs" exits 0
check "each" [ "$(cat "$work"/grid/*/log.txt | grep -c 'a prior fitted')" -eq 2 ]

# ---------------------------------------------------------------- what is refused
run fit-prior --components 3
check "a checkpoint is needed" exits 2
run fit-prior --ckpt "$ckpt" --covariance round
check "covariances are diagonal or full" says err "expected diagonal or full"
run fit-prior --ckpt "$ckpt" --components 400
check "components need tuples" says err "400 components for"
run fit-prior --ckpt "$ckpt" --prune
check "clusters are left out where there are some" says err "no clusters"
head -c 5000 "$ckpt" >"$work/cut.safetensors"
run fit-prior --ckpt "$work/cut.safetensors"
check "a damaged checkpoint is refused" exits 2

# ---------------------------------------------------------------- private latents, and Laplace
run --ini "$ini" --out "$work/private" --set learner.private_dim=2 --set learner.prior=laplace --set learner.iterations=10
run fit-prior --ckpt "$work/private" --components 2
check "z and each w have a mixture, in a Laplace model too" exits 0
check "one line each" [ "$(grep -c 'of 2 components' "$work/out")" -eq 3 ]
draw "$work/private" "$work/p" fitted
check "and are drawn from" exits 0

# ---------------------------------------------------------------- clusters of cmvae
run --ini "$ini" --out "$work/cmvae" --set learner.private_dim=2 --set learner.objective=cmvae --set learner.clusters=6
check "a mixture is learned as prior" exits 0
draw "$work/cmvae" "$work/c" model
check "and drawn from" exits 0
run fit-prior --ckpt "$work/cmvae" --prune
check "clusters are left out" exits 0
check "as many as stay are told" says out "of 6 clusters stay"
draw "$work/cmvae" "$work/cp" fitted
check "those that stay are drawn from" exits 0
finish
