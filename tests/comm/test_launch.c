/* test_launch.c - what launchers say of a process. */
#include "mmi_build.h"

#include "comm/launch.h"
#include "engine/processors.h"

#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct variable {
	const char *name, *value;
} variable;

static const char *const known[] = { "OMPI_COMM_WORLD_RANK",
	                                 "OMPI_COMM_WORLD_SIZE",
	                                 "OMPI_COMM_WORLD_LOCAL_SIZE",
	                                 "OMPI_COMM_WORLD_LOCAL_RANK",
	                                 "PMI_RANK",
	                                 "PMI_SIZE",
	                                 "MPI_LOCALNRANKS",
	                                 "MPI_LOCALRANKID",
	                                 "PMIX_RANK",
	                                 "SLURM_STEP_NUM_TASKS",
	                                 "SLURM_STEP_TASKS_PER_NODE",
	                                 "SLURM_LOCALID" };

static void expect(const variable *v, uint32_t rank, uint32_t size, uint32_t here, uint32_t local)
{
	for (size_t i = 0; i < MMI_COUNT(known); i++)
		unsetenv(known[i]);
	for (; v->name; v++)
		setenv(v->name, v->value, 1);
	const mmi_launch l = mmi_launch_read();
	assert_int_equal(l.rank, rank);
	assert_int_equal(l.size, size);
	assert_int_equal(l.here, here);
	assert_int_equal(l.local, local);
}

static void each_launcher_is_understood(void **state)
{
	(void)state;
	expect((variable[]){ { "OMPI_COMM_WORLD_RANK", "2" },
	                     { "OMPI_COMM_WORLD_SIZE", "4" },
	                     { "OMPI_COMM_WORLD_LOCAL_SIZE", "2" },
	                     { "OMPI_COMM_WORLD_LOCAL_RANK", "1" },
	                     { NULL, NULL } },
	       2, 4, 2, 1);
	expect((variable[]){ { "PMI_RANK", "1" },
	                     { "PMI_SIZE", "2" },
	                     { "MPI_LOCALNRANKS", "2" },
	                     { "MPI_LOCALRANKID", "1" },
	                     { NULL, NULL } },
	       1, 2, 2, 1);
	expect((variable[]){ { "PMIX_RANK", "7" },
	                     { "SLURM_STEP_NUM_TASKS", "8" },
	                     { "SLURM_STEP_TASKS_PER_NODE", "4(x2)" },
	                     { "SLURM_LOCALID", "3" },
	                     { NULL, NULL } },
	       7, 8, 4, 3);
	expect((variable[]){ { "PMI_RANK", "1" }, { "PMI_SIZE", "2" }, { NULL, NULL } }, 1, 2, 1, 0);
}

static void otherwise_a_process_is_alone(void **state)
{
	(void)state;
	expect((variable[]){ { NULL, NULL } }, 0, 1, 1, 0);
	expect((variable[]){ { "OMPI_COMM_WORLD_RANK", "0" }, { "OMPI_COMM_WORLD_SIZE", "1" }, { NULL, NULL } }, 0, 1, 1,
	       0);
	expect((variable[]){ { "SLURM_STEP_NUM_TASKS", "8" }, { NULL, NULL } }, 0, 1, 1, 0);
	expect((variable[]){ { "PMI_RANK", "2" }, { "PMI_SIZE", "2" }, { NULL, NULL } }, 0, 1, 1, 0);
	expect((variable[]){ { "PMI_RANK", "x" }, { "PMI_SIZE", "2" }, { NULL, NULL } }, 0, 1, 1, 0);
}

/* The first processor of this process alone. */
static void bind_to_one(void)
{
	cpu_set_t set, one;
	size_t cpu = 0;
	sched_getaffinity(0, sizeof set, &set);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof one, &one);
}

/* What a child of this process takes when it is one of so many, bound to one processor or not. */
static uint32_t part_of_child(uint32_t processes, bool bound)
{
	int status = 0;
	const pid_t child = fork();
	if (child == 0) {
		if (bound)
			bind_to_one();
		_exit((int)(mmi_processors_part(processes) & 127));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return (uint32_t)WEXITSTATUS(status);
}

static void processors_are_shared_out(void **state)
{
	const uint32_t all = mmi_processors() & 127;
	(void)state;
	assert_int_equal(part_of_child(1, false), all);
	assert_int_equal(part_of_child(2, false), all < 2 ? 1 : all / 2);
	assert_int_equal(part_of_child(1000, false), 1);
	assert_int_equal(part_of_child(1, true), 1);
	assert_int_equal(part_of_child(2, true), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_launcher_is_understood),
		cmocka_unit_test(otherwise_a_process_is_alone),
		cmocka_unit_test(processors_are_shared_out),
	};
	return cmocka_run_group_tests_name("launchers", tests, NULL, NULL);
}
