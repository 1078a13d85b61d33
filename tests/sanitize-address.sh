#!/bin/sh
# sanitize-address.sh - AddressSanitizer with its leak detector, and UBSan, over the whole suite, in ./build-address. What they find
# ends a program. Nothing is suppressed. Without detect_stack_use_after_return: threads of the emulated GPU are fibers, whose stacks it
# takes for frames that have returned.
cd "$(dirname "$0")/.." || exit 99
ASAN_OPTIONS=detect_leaks=1:check_initialization_order=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}
MMCORE_BUILD=build-address
MMCORE_CONFIGURE="--enable-sanitizers=address,undefined ${MMCORE_CONFIGURE-}"
export ASAN_OPTIONS UBSAN_OPTIONS MMCORE_BUILD MMCORE_CONFIGURE
exec ./quickstart check
