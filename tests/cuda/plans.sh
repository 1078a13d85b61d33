#!/bin/sh
# plans.sh - test_plans, where configure found cuDNN, under a time limit.
if [ ! -x tests/cuda/test_plans ]; then
	echo "1..0 # SKIP no cuDNN 9.8 or newer: nobody can be asked for plans"
	exit 0
fi
echo "1..1"
if timeout 300 tests/cuda/test_plans >plans.out 2>&1; then
	echo "ok 1 - every convolution has a deterministic plan on described cards"
else
	echo "not ok 1 - every convolution has a deterministic plan on described cards"
fi
sed 's/^/# /' plans.out
rm -f plans.out
