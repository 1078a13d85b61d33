/* test_processors.c - the quota of control groups is read as the kernel writes it, of both versions. */
#include "mmi_build.h"

#include "../rig/store_rig.h"

#include "engine/processors.h"

static uint32_t granted(const rig *r)
{
	char self[600];
	snprintf(self, sizeof self, "%s/self", r->folder);
	return mmi_processors_granted(r->folder, self);
}

static void a_container_sees_its_quota_at_the_root(void **state)
{
	rig *r = *state;
	rig_put(r->folder, "self", "0::/\n");
	rig_put(r->folder, "cpu.max", "150000 100000\n");
	assert_int_equal(granted(r), 2); /* one and a half, rounded up */
}

static void max_is_no_limit(void **state)
{
	rig *r = *state;
	rig_put(r->folder, "self", "0::/user.slice\n");
	rig_put(r->folder, "user.slice/cpu.max", "max 100000\n");
	assert_int_equal(granted(r), 0);
}

static void the_least_of_all_groups_above_holds(void **state)
{
	rig *r = *state;
	rig_put(r->folder, "self", "0::/a/b/c\n");
	rig_put(r->folder, "a/cpu.max", "300000 100000\n");
	rig_put(r->folder, "a/b/cpu.max", "max 100000\n");
	rig_put(r->folder, "a/b/c/cpu.max", "800000 100000\n");
	assert_int_equal(granted(r), 3);
}

static void version_1_is_read_from_its_cpu_controller(void **state)
{
	rig *r = *state;
	rig_put(r->folder, "self", "9:memory:/m\n4:cpuacct,cpu:/box\n1:cpuset:/s\n");
	rig_put(r->folder, "cpu/box/cpu.cfs_quota_us", "50000\n");
	rig_put(r->folder, "cpu/box/cpu.cfs_period_us", "100000\n");
	assert_int_equal(granted(r), 1); /* half a processor is one worker */
	rig_put(r->folder, "cpu/box/cpu.cfs_quota_us", "-1\n");
	assert_int_equal(granted(r), 0);
}

static void what_cannot_be_read_is_no_limit(void **state)
{
	rig *r = *state;
	char deep[3000];
	assert_int_equal(granted(r), 0); /* no list of groups */
	rig_put(r->folder, "self", "nonsense\n::\n:\n0:\n0::\n7:cpu\n");
	rig_put(r->folder, "cpu.max", "garbage\n");
	assert_int_equal(granted(r), 0);
	rig_put(r->folder, "cpu.max", "0 0\n");
	assert_int_equal(granted(r), 0);
	memset(deep, 'x', sizeof deep - 1);
	deep[sizeof deep - 1] = 0;
	memcpy(deep, "0::/", 4);
	rig_put(r->folder, "self", deep);
	assert_int_equal(granted(r), 0);
}

static void this_process_has_at_least_one(void **state)
{
	(void)state;
	assert_in_range(mmi_processors(), 1, 1u << 16);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_container_sees_its_quota_at_the_root), TEST(max_is_no_limit),
		TEST(the_least_of_all_groups_above_holds),    TEST(version_1_is_read_from_its_cpu_controller),
		TEST(what_cannot_be_read_is_no_limit),        TEST(this_process_has_at_least_one),
	};
	return cmocka_run_group_tests_name("processors", tests, NULL, NULL);
}
