#!/bin/sh
# bench.sh - mmcore bench measures, and its report can be read by programs.
. "${srcdir:?}/tests/cli/tap.sh"

json() { grep -Eq "\"$1\":[[:space:]]*$2" "$work/figures.json"; }

run bench noise --threads 1 --repeat 1 --json "$work/figures.json"
check "bench noise succeeds" exits 0
check "bench noise tells the time of an element" says out " ns an element"
check "the report names the work" json name '"noise"'
check "the report has a time" json median_s '[0-9.e-]*[1-9]'
check "the report counts elements" json elements 3010560

run bench peak --threads 1 --repeat 1 --json "$work/figures.json"
check "bench peak succeeds" exits 0
check "bench peak tells a rate" says out " GFLOP/s"
check "the peak's operations are counted" json flops '[0-9.e+]*[1-9]'

run bench scale --threads 1 --repeat 1 --json "$work/figures.json"
check "bench scale succeeds" exits 0
grows() { grep -Eq "^$1 +$2 +$3 +1 +[0-9.]+ +[0-9.]+ +[0-9.]+ +[1-9][0-9]*\$" "$work/out"; }
check "bench scale has the batch" grows posterior batch 128
check "bench scale has modalities" grows energy modalities 8
check "bench scale has picture sizes" grows energy 'picture side' 56
check "the first value is what others are compared with" grep -Eq "^energy +steps +1 +1 +[0-9.]+ +[0-9.]+ +1\.00 " "$work/out"
within() { ! grep -Eq "threads +2" "$work/out"; }
check "bench scale takes no more threads than asked for" within
check "the report has the axis" json axis '"picture side"'

run bench peak kernels --precision bfloat16 --threads 1 --repeat 1
check "bench in bfloat16 succeeds" exits 0
check "bench in bfloat16 measures its kernels" says out "-bf16 "
check "bench in bfloat16 names what computes" grep -q "bf16 kernels;\|bfloat16 emulated kernels;" "$work/out"
run bench peak --precision float16
check "an unknown precision: status 2" exits 2
check "an unknown precision is named with what there is" complains "unknown precision 'float16'; there are float32 and bfloat16"

run bench nonesuch
check "unknown work: status 2" exits 2
check "unknown work is named with what there is" complains "unknown work 'nonesuch'; there are peak, posterior"
run bench iteration
check "iteration without settings: status 2" exits 2
check "iteration without settings: says what is missing" complains "iteration needs --ini"
run bench iteration --ini "$work/absent.ini"
check "iteration with an absent file: the file is named" complains "$work/absent.ini"
finish
