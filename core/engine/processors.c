/* processors.c - affinity, and the quota of control groups (cgroups(7)). */
#include "mmi_build.h"

#include "engine/processors.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* The text of a small file, without its line end; false where there is none. */
static bool read_line(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "r");
	const bool read = f && fgets(text, (int)size, f);
	if (f)
		fclose(f);
	if (read)
		text[strcspn(text, "\n")] = 0;
	return read;
}

/* FOLDER/NAME; false where it is too long. */
static bool join(char out[PATH_BYTES], const char *folder, const char *name)
{
	const int n = snprintf(out, PATH_BYTES, "%s/%s", folder, name);
	return n > 0 && n < PATH_BYTES;
}

/* Processors in "QUOTA PERIOD", microseconds; infinite where there is no limit ("max", -1). */
static double share_of(const char *text)
{
	double quota, period;
	return sscanf(text, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0 ? quota / period : INFINITY;
}

static double granted_by_v2(const char *folder)
{
	char path[PATH_BYTES], text[128];
	return join(path, folder, "cpu.max") && read_line(path, text, sizeof text) ? share_of(text) : INFINITY;
}

static double granted_by_v1(const char *folder)
{
	char path[PATH_BYTES], quota[64], period[60], both[128];
	if (!join(path, folder, "cpu.cfs_quota_us") || !read_line(path, quota, sizeof quota) ||
	    !join(path, folder, "cpu.cfs_period_us") || !read_line(path, period, sizeof period))
		return INFINITY;
	snprintf(both, sizeof both, "%s %s", quota, period);
	return share_of(both);
}

/* The least of a group and of those above it: a limit holds for all below. `folder` is cut back to `root` bytes. */
static double least_of(char *folder, size_t root, double (*granted)(const char *folder))
{
	double least = INFINITY;
	for (;;) {
		least = fmin(least, granted(folder));
		char *slash = strrchr(folder, '/');
		if (strlen(folder) <= root || !slash)
			return least;
		*slash = 0;
	}
}

/* Whether "cpu" is among names with commas between them. */
static bool has_cpu(const char *names, size_t length)
{
	for (const char *at = names, *end = names + length; at < end;) {
		const size_t n = strcspn(at, ",:");
		if (n == 3 && !strncmp(at, "cpu", 3))
			return true;
		at += n + 1;
	}
	return false;
}

/* A line of /proc/self/cgroup: "0::/path" of version 2, "4:cpu,cpuacct:/path" of version 1. */
static double granted_by_line(const char *groups, const char *line)
{
	char folder[PATH_BYTES];
	const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
	if (!path)
		return INFINITY;
	const bool v2 = path == names + 1;
	if (!v2 && !has_cpu(names + 1, (size_t)(path - names - 1)))
		return INFINITY;
	const int n = snprintf(folder, sizeof folder, "%s%s%s", groups, v2 ? "" : "/cpu", path + 1);
	if (n < 0 || n >= (int)sizeof folder)
		return INFINITY;
	const size_t root = strlen(groups) + (v2 ? 0 : strlen("/cpu"));
	return least_of(folder, root, v2 ? granted_by_v2 : granted_by_v1);
}

uint32_t mmi_processors_granted(const char *groups, const char *self)
{
	char line[PATH_BYTES];
	double least = INFINITY;
	FILE *f = fopen(self, "r");
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		least = fmin(least, granted_by_line(groups, line));
	}
	if (f)
		fclose(f);
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
