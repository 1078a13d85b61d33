/* processors.c - affinity, and the quota of control groups (cgroups(7)). */
#include "mmi_build.h"

#include "base/cgroup.h"
#include "engine/processors.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

/* Processors in "QUOTA PERIOD", microseconds; infinite where there is no limit ("max", -1). */
static double share_of(const char *text)
{
	double quota, period;
	return sscanf(text, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0 ? quota / period : INFINITY;
}

static double granted_by_v2(const char *folder)
{
	char text[128];
	return mmi_cgroup_read(folder, "cpu.max", text, sizeof text) ? share_of(text) : INFINITY;
}

static double granted_by_v1(const char *folder)
{
	char quota[64], period[60], both[128];
	if (!mmi_cgroup_read(folder, "cpu.cfs_quota_us", quota, sizeof quota) ||
	    !mmi_cgroup_read(folder, "cpu.cfs_period_us", period, sizeof period))
		return INFINITY;
	snprintf(both, sizeof both, "%s %s", quota, period);
	return share_of(both);
}

uint32_t mmi_processors_granted(const char *groups, const char *self)
{
	const double least = mmi_cgroup_least(groups, self, "cpu", granted_by_v1, granted_by_v2);
	return least < UINT32_MAX ? (uint32_t)fmax(1, ceil(least)) : 0;
}

static uint32_t by_affinity(pid_t process)
{
	cpu_set_t set;
	if (!sched_getaffinity(process, sizeof set, &set) && CPU_COUNT(&set) > 0)
		return (uint32_t)CPU_COUNT(&set);
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (uint32_t)n : 1;
}

static uint32_t of_process(pid_t process)
{
	const uint32_t mask = by_affinity(process), granted = mmi_processors_granted("/sys/fs/cgroup", "/proc/self/cgroup");
	return granted && granted < mask ? granted : mask;
}

uint32_t mmi_processors(void)
{
	return of_process(0);
}

uint32_t mmi_processors_part(uint32_t processes)
{
	const uint32_t own = of_process(0), part = processes > 1 ? of_process(getppid()) / processes : own;
	return part < 1 ? 1 : part < own ? part : own;
}
