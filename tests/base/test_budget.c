/* test_budget.c - how much memory there is: the machine's, or what its control groups have left, of both versions. A
 * block beyond that is refused before any of it is filled. */
#include "mmi_build.h"

#include "../rig/store_rig.h"

#include <math.h>

#include "base/memory.h"

static double left(const rig *r)
{
	char machine[600], self[600];
	snprintf(machine, sizeof machine, "%s/meminfo", r->folder);
	snprintf(self, sizeof self, "%s/self", r->folder);
	return mmi_memory_left(machine, r->folder, self);
}

static void a_machine_has_what_is_available_and_its_free_swap(void **state)
{
	rig *r = *state;
	rig_put(r->folder, "meminfo",
	        "MemTotal:  9000 kB\nMemFree: 1 kB\nMemAvailable:  5000 kB\nSwapTotal: 9 kB\nSwapFree: 3 kB\n");
	assert_float_equal(left(r), 5003 * 1024, 0);
}

static void a_container_has_what_is_left_of_its_limit(void **state)
{
	rig *r = *state;
	rig_put(r->folder, "meminfo", "MemTotal:  9000 kB\nMemAvailable:  5000 kB\nSwapFree: 0 kB\n");
	rig_put(r->folder, "self", "0::/\n");
	rig_put(r->folder, "memory.max", "1000000\n");
	rig_put(r->folder, "memory.current", "900000\n");
	rig_put(r->folder, "memory.stat", "anon 600000\nfile 300000\ninactive_file 50000\nactive_file 20000\n");
	assert_float_equal(left(r), 170000, 0); /* pages of files can be given back */
	rig_put(r->folder, "memory.max", "800000\n");
	rig_put(r->folder, "memory.stat", "anon 900000\n");
	assert_float_equal(left(r), 0, 0);
	rig_put(r->folder, "memory.max", "max\n");
	assert_float_equal(left(r), 5000 * 1024, 0);
}

static void the_least_of_all_groups_above_holds(void **state)
{
	rig *r = *state;
	rig_put(r->folder, "self", "0::/a/b\n");
	rig_put(r->folder, "a/memory.max", "500\n");
	rig_put(r->folder, "a/memory.current", "100\n");
	rig_put(r->folder, "a/b/memory.max", "9000\n");
	rig_put(r->folder, "a/b/memory.current", "100\n");
	assert_float_equal(left(r), 400, 0);
}

static void version_1_is_read_from_its_memory_controller(void **state)
{
	rig *r = *state;
	rig_put(r->folder, "self", "4:cpu:/box\n9:memory:/m\n");
	rig_put(r->folder, "memory/m/memory.limit_in_bytes", "7000\n");
	rig_put(r->folder, "memory/m/memory.usage_in_bytes", "6000\n");
	rig_put(r->folder, "memory/m/memory.stat",
	        "cache 1\ninactive_file 9\ntotal_inactive_file 400\ntotal_active_file 100\n");
	assert_float_equal(left(r), 1500, 0);
}

static void what_cannot_be_read_is_no_limit(void **state)
{
	rig *r = *state;
	assert_true(isinf(left(r)));
	rig_put(r->folder, "meminfo", "garbage");
	rig_put(r->folder, "self", "0::/\n9:memory\n:\n");
	rig_put(r->folder, "memory.max", "garbage\n");
	rig_put(r->folder, "memory.current", "");
	assert_true(isinf(left(r)));
}

static void a_block_beyond_what_is_left_is_refused(void **state)
{
	(void)state;
	const double here = mmi_memory_left("/proc/meminfo", "/sys/fs/cgroup", "/proc/self/cgroup");
	if (!isfinite(here))
		skip();
	assert_null(mmi_alloc((size_t)(1.5 * here) + (1u << 24), 1));
	void *block = mmi_alloc(1u << 24, 1);
	assert_non_null(block);
	mmi_free(block);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_machine_has_what_is_available_and_its_free_swap),
		TEST(a_container_has_what_is_left_of_its_limit),
		TEST(the_least_of_all_groups_above_holds),
		TEST(version_1_is_read_from_its_memory_controller),
		TEST(what_cannot_be_read_is_no_limit),
		TEST(a_block_beyond_what_is_left_is_refused),
	};
	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
