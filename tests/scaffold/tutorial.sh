# tutorial.sh - sourced: `tutorial` does what docs/SDK.md says, in the current folder: its C is series.c, its commands are run in turn.
# $1: the document.
tutorial() {
	awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' "$1" >series.c
	awk '/^```sh$/ { on = 1; next } /^```/ { if (on) print "echo \"# a step is done\""; on = 0; next } on' "$1" >steps.sh
	sh -e steps.sh
}
