#!/bin/sh
# summary.sh - the script that counts test results: it must not miss a failure.
. "${srcdir:?}/tests/cli/tap.sh"

# result NAME PASS|FAIL|SKIP|ERROR: what automake leaves behind, the log comes from standard input.
result() {
	cat >"$work/t/$1.log"
	printf ':test-result: %s\n:global-test-result: %s\n' "$2" "$2" >"$work/t/$1.trs"
}

fresh() {
	rm -rf "$work/t"
	mkdir "$work/t"
}

summarise() {
	status=0
	sh "$srcdir/tests/summary" "$work/t" >"$work/out" 2>"$work/err" || status=$?
}

ends_with() { [ "$(tail -n 1 "$work/out")" = "$1" ]; }

fresh
summarise
check "no tests at all is an error" exits 2

fresh
result a PASS <<'END'
[==========] Running 2 test(s).
[ RUN      ] one
[       OK ] one
[ RUN      ] two
[       OK ] two
[==========] 2 test(s) run.
[  PASSED  ] 2 test(s).
END
summarise
check "passing cases: status 0" exits 0
check "passing cases are counted one by one" ends_with "2 passed, 0 failed"

result b FAIL <<'END'
[==========] Running 3 test(s).
[ RUN      ] three
[  ERROR   ] --- 0x1 != 0x2
[   LINE   ] --- t.c:9: error: Failure!
[  FAILED  ] three
[ RUN      ] four
[  SKIPPED ] four
[ RUN      ] five
[       OK ] five
[==========] 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] four
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] three
END
summarise
check "a failed case: status 1" exits 1
check "a failed case is counted once, skipped ones apart" ends_with "3 passed, 1 failed, 1 skipped"
check "a failed case is named" says out "b: three"

fresh
result crash FAIL <<'END'
[==========] Running 3 test(s).
[ RUN      ] one
[       OK ] one
[ RUN      ] two
END
summarise
check "a program that dies: the rest failed" ends_with "1 passed, 2 failed"

fresh
result leak FAIL <<'END'
[==========] Running 1 test(s).
[ RUN      ] one
[       OK ] one
[==========] 1 test(s) run.
[  PASSED  ] 1 test(s).
==1==ERROR: LeakSanitizer: detected memory leaks
END
summarise
check "a program that fails after its last case" ends_with "1 passed, 1 failed"

fresh
result missing FAIL <<'END'
cannot open shared object
END
summarise
check "a program that never starts" ends_with "0 passed, 1 failed"

fresh
result skipped SKIP <<'END'
[==========] Running 1 test(s).
[ RUN      ] one
[  SKIPPED ] one
[==========] 1 test(s) run.
END
summarise
check "nothing but skipped cases is an error" exits 2

fresh
result tap FAIL <<'END'
ok 1 - a
PASS: tests/tap.sh 1 - a
not ok 2 - b
FAIL: tests/tap.sh 2 - b
END
printf ':global-test-result: FAIL\n:test-result: PASS\n:test-result: FAIL\n:test-result: SKIP\n' >"$work/t/tap.trs"
summarise
check "TAP points are counted one by one" ends_with "1 passed, 1 failed, 1 skipped"
check "a failed TAP point is named" says out "tap: 2 - b"
finish
