#!/bin/sh
# validate.sh - mmcore validate: exit statuses, options, and the list of rules in docs/ABI.md beside the tests there are.
. "${srcdir:?}/tests/cli/tap.sh"
plugins=${MMCORE_TEST_PLUGINS:?is set by make check}
example=$work/pair.so

# The plugin of docs/ABI.md; at is what is built.
awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' "$srcdir/docs/ABI.md" >"$work/pair.c"
status=0
${CC:-cc} -shared -fPIC -fvisibility=hidden -I"$srcdir/sdk/include" -o "$example" "$work/pair.c" >"$work/out" 2>"$work/err" || status=$?
check "the plugin of docs/ABI.md is built" exits 0
run validate "$example"
check "it passes" exits 0
check "with a line a test" says out "passed   read-support"
check "and a summary" says out " passed, 0 failed, 0 crashed, "
no_test_failed() { ! grep -q '^failed\|^crashed' "$work/out"; }
check "and no other verdict" no_test_failed

MMCORE_FAULT=read-range
export MMCORE_FAULT
run validate "$plugins/faulty.so"
check "a failure has exit status 1" exits 1
check "the line names the rule" says out "(rule 17 of docs/ABI.md)"
run validate "$plugins/faulty.so" --only load
check "--only GROUP runs that group" exits 0
check "and no other test" no_test_failed
run validate "$plugins/faulty.so" --only read-support --only symbols
check "--only TEST may be repeated" exits 1
two_lines() { [ "$(grep -c '^failed\|^passed' "$work/out")" -eq 2 ]; }
check "and runs those alone" two_lines
run validate "$plugins/faulty.so" --only read-support --in-process
check "--in-process finds the same" exits 1
check "in the same words" says out "failed   read-support"
run validate "$plugins/faulty.so" --json
check "--json has the exit status too" exits 1
check "and the failure" says out '"id":	"read-support"'
if command -v python3 >/dev/null; then
	status=0
	python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))["results"]
assert [x["id"] for x in r if x["status"] == "failed"] == ["read-support"]
assert all(x["rule"] > 0 and x["seconds"] >= 0 for x in r)' "$work/out" >"$work/json.out" 2>"$work/err" || status=$?
	check "it is JSON" exits 0
fi
MMCORE_FAULT=open-slow
run validate "$plugins/faulty.so" --only read-process --limit 1
check "data that take too long to open in another process are skipped" says out "skipped  read-process"
check "with what to do" says out "had not read the data after 0.5 seconds; raise --limit"
unset MMCORE_FAULT

run validate "$work/none.so"
check "a file that is not there has exit status 2" exits 2
check "and is named" complains "there is no file $work/none.so"
run validate "$example" --only nobody
check "so has an unknown test" exits 2
check "which is named" complains "no test and no group of tests 'nobody'"
run validate "$plugins/toy.so" --set hiden=3
check "so has an unknown setting" exits 2
check "which is named with its section" complains "hiden"
run validate "$plugins/toy.so" --set hidden=many
check "so has a setting's wrong value" exits 2
run validate "$plugins/toy.so" --modality nobody
check "so has an unknown modality" exits 2
check "which is named" complains 'has no modality "nobody"'
run validate "$example" --data "$work/nowhere"
check "so has a folder that is not there" exits 2
run validate
check "so has no file at all" exits 2
echo text >"$work/text.so"
run validate "$work/text.so"
check "a file that is no plugin fails" exits 1
check "in the test of its entry" says out "failed   entry"
left() { [ -z "$(ls -d "$work"/tmp/* 2>/dev/null)" ]; }
mkdir "$work/tmp"
TMPDIR=$work/tmp run validate "$example" --only use
check "no folder is left" left

# RULE TEST, of the table and of the program; in brackets a test of another rule.
awk -F '|' '/^## Rules/ { on = 1 } /^## Life/ { on = 0 } on && $2 ~ /^ [0-9]+ $/ { print $2 + 0 " " $(NF - 1) }' "$srcdir/docs/ABI.md" >"$work/rows"
awk '$2 !~ /^\(/ { for (i = 2; i <= NF; i++) print $1 " " $i }' "$work/rows" | sort >"$work/rules"
sed -n 's/.*(\(.*\)).*/\1/p' "$work/rows" | tr ' ' '\n' | sort -u >"$work/others"
run validate --list
check "--list succeeds" exits 0
sed -n 's/^\([a-z-]*\) .* rule \([0-9]*\) .*/\2 \1/p' "$work/out" | sort >"$work/tests"
same_rules() { [ -s "$work/rules" ] && diff "$work/rules" "$work/tests" >"$work/err"; }
check "docs/ABI.md has each test beside its rule" same_rules
cut -d ' ' -f 2 "$work/tests" | sort >"$work/names"
every_rule_is_tested() { [ -s "$work/rows" ] && awk 'NF < 2' "$work/rows" >"$work/err" && silent err; }
check "and no rule without one" every_rule_is_tested
others_are_tests() { comm -23 "$work/others" "$work/names" >"$work/err" && silent err; }
check "those in brackets are tests" others_are_tests
grep -v '^#' "$srcdir/tests/scaffold/mutations.txt" | cut -f 1 | sort -u >"$work/mutated"
same_tests() { diff "$work/names" "$work/mutated" >"$work/err"; }
check "each test has a mutation of the template, each mutation a test" same_tests
finish
