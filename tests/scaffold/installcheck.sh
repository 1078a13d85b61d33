#!/bin/sh
# installcheck.sh - for make installcheck: what a plugin's author does with what is installed alone, in an environment of nothing else.
# DESTDIR bindir pkgconfigdir templatedir plugindir sdkdocdir CC LDFLAGS PKG_CONFIG srcdir are the makefile's.
set -e
srcdir=$(cd "$srcdir" && pwd)
. "$srcdir/tests/scaffold/tutorial.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
PKG_CONFIG_PATH=$DESTDIR$pkgconfigdir
PKG_CONFIG_SYSROOT_DIR=$DESTDIR
MMCORE_TEMPLATE=$DESTDIR$templatedir
MMCORE_PLUGIN_PATH=$DESTDIR$plugindir
PATH=$DESTDIR$bindir:$PATH
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR MMCORE_TEMPLATE MMCORE_PLUGIN_PATH PATH
[ -z "$DESTDIR" ] && unset PKG_CONFIG_SYSROOT_DIR MMCORE_TEMPLATE MMCORE_PLUGIN_PATH

echo "a toy, listed beside what comes with mmcore"
mkdir toy
$CC -shared -fPIC -fvisibility=hidden -Wall -Wextra -Werror $LDFLAGS -o toy/toy.so $($PKG_CONFIG --cflags mmcore-plugin-1) \
	"$srcdir/tests/badplugins/toy.c"
mmcore plugins --path "$work/toy" >plugins.txt
for plugin in toy img mnist txt; do grep "^$plugin\.so  " plugins.txt; done

echo "the template: made, built, put to the test, trained with"
mmcore new-plugin demo demo
make -C demo CC="$CC" CFLAGS='-O2 -Wall -Wextra -Werror' LDFLAGS="$LDFLAGS" check
cat >demo.ini <<END
[run]
threads = 1
[learner]
iterations = 5
warmup = 2
batch = 8
latent_dim = 4
[demo]
plugin = demo/demo.so
[other]
plugin = demo/demo.so
END
mmcore --ini demo.ini --out run

if [ -z "$DESTDIR" ]; then
	echo "a preset as the README names it: where it is, and that it is read there"
	mmcore --ini configs/own.ini 2>preset.txt && exit 1
	preset=$(sed -n 's/.*; a preset of that name is //p' preset.txt)
	mmcore --ini "$preset" --set data.root="$work/none" 2>preset.txt && exit 1
	grep -q "$work/none" preset.txt
fi

echo "the tutorial"
mkdir tutorial
cd tutorial
tutorial "$DESTDIR$sdkdocdir/SDK.md"
echo "installcheck passed"
