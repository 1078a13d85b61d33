# ranks_rig.sh - for the shell tests that start ranks: sourced after train_rig.sh. Ends the test, its last line a skip, where there is no MPI.
skip_ranks() {
	tests=$((tests + 1))
	echo "ok $tests - ranks # SKIP $1"
	finish
	exit
}
[ -e core/comm/.libs/comm-mpi.so ] && [ -n "${MMCORE_MPIRUN-}" ] || skip_ranks "configure found no MPI"
[ -z "${TSAN_OPTIONS-}" ] || skip_ranks "ThreadSanitizer does not see into the libraries of MPI (tests/sanitize-thread.sh)"

# Open MPI: as root, more ranks than processors, bound to none of them. Other launchers do not look at these.
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM OMPI_MCA_rmaps_base_oversubscribe OMPI_MCA_hwloc_base_binding_policy

# In builds with sanitizers: libraries of MPI keep some of what they allocate.
LSAN_OPTIONS=${LSAN_OPTIONS:+$LSAN_OPTIONS:}detect_leaks=0
export LSAN_OPTIONS

# Every rank reads the pictures.
unpack_pictures

# ranks N ARGUMENT...: run with N of them.
ranks() {
	n=$1
	shift
	status=0
	timeout 300 "$MMCORE_MPIRUN" -n "$n" "$MMCORE_PROGRAM" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}
once() { [ "$(grep -cF -- "$2" "$work/$1")" -eq 1 ]; }
