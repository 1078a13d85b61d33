#!/bin/sh
# trace.sh - trajectories of both chains, and the way between two tuples, with tiny models.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
ini=$work/tiny.ini

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; }
same() { cmp -s "$1" "$2"; }
differ() { ! cmp -s "$1" "$2"; }
number() { od -An -tu1 -j"$2" -N4 "$1" | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'; }
width() { number "$1" 16; }
height() { number "$1" 20; }

run --ini "$ini" --out "$work/run"
ckpt=$(checkpoint "$work/run" 20)
trace() { run trace --ckpt "$ckpt" "$@"; }
interpolate() { run interpolate --ckpt "$ckpt" "$@"; }

# ---------------------------------------------------------------- traces
trace --tuples 2 --z-steps 6 --x-steps 5 --out "$work/t"
check "a trace succeeds" exits 0
check "it names the numbers" says out "traces     $work/t/trace.csv"
check "both strips are pictures" eval 'is_png "$work/t/posterior.png" && is_png "$work/t/data.png"'
check "the numbers have a header" [ "$(head -n 1 "$work/t/trace.csv")" = "chain,tuple,step,energy,log_likelihood,move" ]
check "every step of every chain has a row" [ "$(tail -n +2 "$work/t/trace.csv" | wc -l)" -eq $((2 * 7 + 2 * 6)) ]
filled() { awk -F, 'NR > 1 { if (NF != 6 || $4 == "" || ($1 == "posterior") != ($5 != "") || ($3 > 0) != ($6 != "")) exit 1 }' "$work/t/trace.csv"; }
check "energies everywhere, likelihoods of the posterior, movement from the first step on" filled
trace --tuples 2 --z-steps 6 --x-steps 5 --set learner.z_noise=0 --out "$work/still"
falls() { awk -F, -v chain="$1" '$1 == chain { if ($3 == 0) first += $4; last[$2] = $4 } END { for (t in last) end += last[t]; exit !(end < first) }' "$work/still/trace.csv"; }
check "without noise U falls along the posterior chain" falls posterior
# Two strips of the same tuples: 6 steps are 4 columns and the data, 5 steps are 4 columns (0, 2, 4, 5).
check "both strips have the same rows" [ "$(height "$work/t/posterior.png")" -eq "$(height "$work/t/data.png")" ]
trace --tuples 2 --z-steps 6 --x-steps 5 --out "$work/t2"
check "traces repeat" diff -r "$work/t" "$work/t2"
trace --tuples 2 --z-steps 6 --x-steps 5 --number 1 --out "$work/t3"
check "another number, other chains" differ "$work/t/trace.csv" "$work/t3/trace.csv"
check "without a guide it has no strip" [ ! -e "$work/t/guide.png" ]
trace --tuples 2 --z-steps 6 --guide-steps 8 --x-steps 5 --set learner.z_noise=0 --set sample.latent_noise=0 --out "$work/guided"
check "a guided chain has a strip" is_png "$work/guided/guide.png"
check "and a row for every step" [ "$(grep -c '^guide,' "$work/guided/trace.csv")" -eq $((2 * 9)) ]
rm -r "$work/still"
mv "$work/guided" "$work/still"
check "without noise its U falls" falls guide
check "the data chain starts where it ends" eval '[ "$(grep "^data,0,0," "$work/t/trace.csv")" != "$(grep "^data,0,0," "$work/still/trace.csv")" ]'
trace --tuples 2 --z-steps 6 --x-steps 5 --set learner.x_start=noise --out "$work/noise"
check "or at noise, where it did in training" eval '[ "$(grep "^data,0,0," "$work/t/trace.csv")" != "$(grep "^data,0,0," "$work/noise/trace.csv")" ]'
check "and the posterior chain is the same" [ "$(grep ^posterior "$work/t/trace.csv")" = "$(grep ^posterior "$work/noise/trace.csv")" ]
trace --tuples 2 --z-steps 3 --x-steps 2 --out "$work/short"
beginning() { grep "^$1," "$work/t/trace.csv" | awk -F, -v n="$2" '$3 <= n' >"$work/long_part"; grep "^$1," "$work/short/trace.csv" | cmp -s - "$work/long_part"; }
check "a shorter posterior chain is the longer one's beginning" beginning posterior 3
check "a shorter data chain is the longer one's beginning" beginning data 2
trace --tuples 1 --z-steps 200 --x-steps 0 --out "$work/long"
check "long chains fit on a sheet" eval '[ "$(width "$work/long/posterior.png")" -lt 2500 ]'
check "a chain without steps is its start" [ "$(grep -c '^data,' "$work/long/trace.csv")" -eq 1 ]
run trace --ckpt "$ckpt" --tuples 17 --out "$work/never"
check "more tuples than a chunk are refused" complains "--tuples 17: at most 16"
run trace --ckpt "$ckpt"
check "a missing folder is refused" complains "--out is missing"
check "refused traces write nothing" [ ! -e "$work/never" ]

run --ini "$ini" --out "$work/private" --set learner.private_dim=3 --set learner.prior=laplace
run trace --ckpt "$(checkpoint "$work/private" 20)" --tuples 2 --out "$work/tp"
check "private latents and a Laplace prior are traced" [ "$(wc -l <"$work/tp/trace.csv")" -eq 13 ]
run interpolate --ckpt "$(checkpoint "$work/private" 20)" --from 0 --to 1 --grid "$work/ip.png"
check "and interpolated" is_png "$work/ip.png"
run --ini "$ini" --out "$work/base" --set learner.objective=mmvae
run trace --ckpt "$(checkpoint "$work/base" 20)" --z-steps 2 --out "$work/tb"
check "a baseline has a posterior chain alone" eval 'exits 0 && [ -e "$work/tb/posterior.png" ] && [ ! -e "$work/tb/data.png" ]'
check "which is said" says err "only the posterior chain is traced"

# ---------------------------------------------------------------- interpolations
interpolate --from 0 --to 5 --grid "$work/i.png"
check "an interpolation succeeds" exits 0
check "it names the sheet" says out "sheet      $work/i.png"
check "the sheet is a picture" is_png "$work/i.png"
interpolate --from 0 --to 5 --grid "$work/i2.png"
check "interpolations repeat" same "$work/i.png" "$work/i2.png"
interpolate --from 0 --to 5 --set energy.agreement=10 --set sample.rise_max=1e-9 --grid "$work/i9.png"
check "a bound of samples leaves the chain between two tuples alone" cmp -s "$work/i.png" "$work/i9.png"
interpolate --from 0 --to 5 --spherical --grid "$work/i3.png"
check "a great circle is another way" differ "$work/i.png" "$work/i3.png"
interpolate --from 0 --to 5 --x-steps 0 --grid "$work/i4.png"
check "without an energy chain there are fewer rows" eval '[ "$(height "$work/i4.png")" -lt "$(height "$work/i.png")" ]'
interpolate --from 0 --to 5 --steps 20 --grid "$work/i5.png"
check "more steps, a wider sheet" eval '[ "$(width "$work/i5.png")" -gt "$(width "$work/i.png")" ]'
interpolate --from 0 --to 5 --given m0 --grid "$work/i6.png"
check "ends inferred from one modality" differ "$work/i.png" "$work/i6.png"
interpolate --prior --grid "$work/i7.png"
check "between two draws from the prior" is_png "$work/i7.png"
run sample --ckpt "$ckpt" --count 2 --out "$work/s1" --set learner.x_step=0.3
run sample --ckpt "$ckpt" --count 2 --out "$work/s2" --set learner.x_step=0.6
check "a step of the data chain that is set counts, where another was measured" eval 'is_png "$work/s1/revised/m0-00000.png" && differ "$work/s1/revised/m0-00000.png" "$work/s2/revised/m0-00000.png"'
run sample --ckpt "$ckpt" --count 2 --out "$work/s"
g=$work/s/generator
interpolate --given "m0=$g/m0-00000.png,$g/m0-00001.png" --grid "$work/i8.png"
check "between two files" is_png "$work/i8.png"
refused() {
	what=$1 text=$2
	shift 2
	interpolate --grid "$work/never.png" "$@"
	check "$what: status 2" exits 2
	check "$what: one clear line" complains "$text"
}
refused "one end" "--from and --to belong together" --from 1
refused "no ends" "no ends: give" --steps 3
refused "ends twice" "--prior excludes" --prior --from 1 --to 2
refused "one file" "two ends, found 1" --given "m0=$g/m0-00000.png"
refused "an end that is not there" "there is no test tuple 300" --from 0 --to 300
refused "one step" "no whole number from 2" --prior --steps 1
check "refused interpolations write nothing" [ ! -e "$work/never.png" ]
finish
