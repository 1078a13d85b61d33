#!/bin/sh
# sanitize-leak.sh - LeakSanitizer alone, which costs little: the commands and the library, in ./build-leak.
cd "$(dirname "$0")/.." || exit 99
MMCORE_BUILD=build-leak
MMCORE_CONFIGURE="--enable-sanitizers=leak ${MMCORE_CONFIGURE-}"
: "${MMCORE_TESTS:=^tests/(api|cli|config|plugin|plugins|run|store|trained)/}"
export MMCORE_BUILD MMCORE_CONFIGURE MMCORE_TESTS
exec ./quickstart check
