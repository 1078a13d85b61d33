/* fuzz_main.c - a harness without libFuzzer: runs it on the files and folders that it is told, each within a time, all
 * within a size. With libFuzzer there is nothing here. */
#include "mmi_build.h"

#include "fuzz.h"

#ifndef MMCORE_LIBFUZZER

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECONDS = 10, MOST_KILOBYTES = 1 << 20 };

/* Harnesses that have nothing to make have none. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static char now[512];

static void say_and_abort(const char *what)
{
	fprintf(stderr, "%s: %s\n", now, what);
	abort();
}

static void late(int sig)
{
	(void)sig;
	static const char text[] = "finding: an input takes more than 10 s\n";
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(3);
	abort();
}

/* In memory of just its size, so that a tool sees reads beyond it. */
static size_t run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	if (!file || fstat(fileno(file), &st))
		say_and_abort("cannot be read");
	const size_t n = (size_t)st.st_size;
	uint8_t *bytes = malloc(n ? n : 1);
	if (!bytes || fread(bytes, 1, n, file) != n)
		say_and_abort("cannot be read");
	fclose(file);
	alarm(SECONDS);
	LLVMFuzzerTestOneInput(bytes, n);
	alarm(0);
	free(bytes);
	return 1;
}

static size_t run_folder(const char *path)
{
	struct dirent **list;
	size_t n = 0;
	const int found = scandir(path, &list, NULL, alphasort);
	for (int i = 0; i < found; i++) {
		if (list[i]->d_name[0] != '.') {
			snprintf(now, sizeof now, "%s/%s", path, list[i]->d_name);
			n += run_file(now);
		}
		free(list[i]);
	}
	if (found >= 0)
		free(list);
	return n;
}

int main(int argc, char **argv)
{
	struct stat st;
	struct rusage used;
	size_t n = 0;
	signal(SIGALRM, late);
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		snprintf(now, sizeof now, "%s", argv[i]);
		if (stat(argv[i], &st) == 0)
			n += S_ISDIR(st.st_mode) ? run_folder(argv[i]) : run_file(argv[i]);
	}
	getrusage(RUSAGE_SELF, &used);
	printf("%zu inputs, %ld MB\n", n, used.ru_maxrss >> 10);
	if (used.ru_maxrss > MOST_KILOBYTES)
		say_and_abort("finding: more than 1 GB");
	return n ? 0 : 2;
}
#else
typedef int fuzz_main_is_of_libfuzzer;
#endif
