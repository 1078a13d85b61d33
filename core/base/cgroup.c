/* cgroup.c - the list of a process's control groups, and the walk from each up to the root. */
#include "mmi_build.h"

#include "base/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* FOLDER/NAME; false where it is too long. */
static bool join(char out[PATH_BYTES], const char *folder, const char *name)
{
	const int n = snprintf(out, PATH_BYTES, "%s%s%s", folder, *folder ? "/" : "", name);
	return n > 0 && n < PATH_BYTES;
}

static size_t read_all(int file, char *text, size_t size)
{
	size_t used = 0;
	for (ssize_t n; used < size && (n = read(file, text + used, size - used)) != 0;) {
		if (n < 0 && errno != EINTR)
			break;
		used += n > 0 ? (size_t)n : 0;
	}
	return used;
}

bool mmi_cgroup_read(const char *folder, const char *name, char *text, size_t size)
{
	char path[PATH_BYTES];
	const int before = errno, file = join(path, folder, name) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (file >= 0) {
		text[read_all(file, text, size - 1)] = 0;
		close(file);
	}
	errno = before;
	return file >= 0;
}

/* `folder` is cut back to `root` bytes. */
static double least_above(char *folder, size_t root, mmi_cgroup_limit *limit)
{
	double least = INFINITY;
	for (;;) {
		least = fmin(least, limit(folder));
		char *slash = strrchr(folder, '/');
		if (strlen(folder) <= root || !slash)
			return least;
		*slash = 0;
	}
}

/* Whether the controller is among names with commas between them. */
static bool has(const char *names, size_t length, const char *controller)
{
	for (const char *at = names, *end = names + length; at < end;) {
		const size_t n = strcspn(at, ",:");
		if (n == strlen(controller) && !strncmp(at, controller, n))
			return true;
		at += n + 1;
	}
	return false;
}

/* A line of the list: "0::/path" of version 2, "4:cpu,cpuacct:/path" of version 1. */
static double of_line(const char *groups, const char *line, const char *controller, mmi_cgroup_limit *v1,
                      mmi_cgroup_limit *v2)
{
	char folder[PATH_BYTES];
	const char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
	if (!path)
		return INFINITY;
	const bool second = path == names + 1;
	if (!second && !has(names + 1, (size_t)(path - names - 1), controller))
		return INFINITY;
	const int n =
		snprintf(folder, sizeof folder, "%s%s%s%s", groups, second ? "" : "/", second ? "" : controller, path + 1);
	if (n < 0 || n >= (int)sizeof folder)
		return INFINITY;
	const size_t root = strlen(groups) + (second ? 0 : 1 + strlen(controller));
	return least_above(folder, root, second ? v2 : v1);
}

double mmi_cgroup_least(const char *groups, const char *self, const char *controller, mmi_cgroup_limit *v1,
                        mmi_cgroup_limit *v2)
{
	char list[4 * PATH_BYTES];
	double least = INFINITY;
	if (!mmi_cgroup_read("", self, list, sizeof list))
		return least;
	for (char *line = list, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		least = fmin(least, of_line(groups, line, controller, v1, v2));
	}
	return least;
}
