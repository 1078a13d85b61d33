#!/bin/sh
# sanitize-thread.sh - ThreadSanitizer over the tests whose programs have threads, in ./build-thread. A race ends a program.
cd "$(dirname "$0")/.." || exit 99
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}
MMCORE_BUILD=build-thread
MMCORE_CONFIGURE="--enable-sanitizers=thread --without-openblas ${MMCORE_CONFIGURE-}"
: "${MMCORE_TESTS:=^tests/(api|data|engine|learn|mcmc|train|trained)/}"
export TSAN_OPTIONS MMCORE_BUILD MMCORE_CONFIGURE MMCORE_TESTS
exec ./quickstart check
