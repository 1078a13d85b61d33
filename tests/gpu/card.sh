#!/bin/sh
# card.sh - the CUDA backend on a card, where there is one: operations, rows, iterations and chains as on the emulated device.
programs=$(ls tests/gpu/test_card_* 2>/dev/null | grep -v '\.o$')
if [ -z "$programs" ]; then
	echo "1..0 # SKIP built without CUDA"
	exit 0
fi
if ! ls /dev/nvidia[0-9]* /dev/dxg >/dev/null 2>&1; then
	echo "1..0 # SKIP this machine has no NVIDIA GPU"
	exit 0
fi
echo "1..$(echo "$programs" | wc -l)"
n=0
for program in $programs; do
	n=$((n + 1))
	if timeout 300 "$program" >card.out 2>&1; then
		echo "ok $n - $(basename "$program") on the card"
	else
		echo "not ok $n - $(basename "$program") on the card"
	fi
	sed 's/^/# /' card.out
done
rm -f card.out
