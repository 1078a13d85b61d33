#!/bin/sh
# report.sh - the page of a run: made by train, eval and report; refusals leave nothing behind.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"

page=$work/run/report.html
run --ini "$work/tiny.ini" --out "$work/run"
check "a run ends with its page" grep -q '<title>mmcore: run</title>' "$page"
check "which has the last sheet" grep -q 'grids/samples-00000020.png</figcaption><img' "$page"
check "and curves" grep -q '<polyline ' "$page"
check "and the settings that are not the defaults" grep -q '<th>learner.batch</th><td>8</td>' "$page"

run eval --ckpt "$work/run" --only latent --count 40 --probe 40 --out "$work/run/eval"
check "an evaluation in its folder succeeds" exits 0
check "and is on the page then" grep -q '<th>latent accuracy' "$page"

cp "$page" "$work/before"
run report "$work/run"
check "report makes the page of one run" exits 0
check "and says where" says out "$page"
check "the same page again" cmp -s "$work/before" "$page"

cp -r "$work/run" "$work/other"
run report "$work/run" "$work/other" --out "$work/both.html"
check "report puts runs side by side" grep -q '<title>mmcore: run, other</title>' "$work/both.html"

run report
check "report wants a run" eval 'exits 2 && complains "the folder of a run is missing"'
run report "$work/run" "$work/other"
check "several runs need a name for their page" eval 'exits 2 && complains "--out says where"'
run report "$work/nothing" --out "$work/no.html"
check "what is no run is refused" eval 'exits 2 && complains "is no run"'
check "and nothing written" [ ! -e "$work/no.html" ]
run report "$work/run" --out /nonexistent/page.html
check "a page that cannot be written is a failure" eval 'exits 1 && complains "/nonexistent"'
finish
