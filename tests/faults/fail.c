/* fail.c - preloaded (LD_PRELOAD), makes one call of the system or of the allocator fail, or all from one on.
 *
 * FAIL_OP    alloc, open, fopen, opendir, read, pread, write, fsync, ftruncate, rename, link, unlink, mkdir, close,
 * fclose, fwrite, fflush, flock, pthread_create; short: a write or read that does half of it; full: a write that does
 *            half of it, and from then on there is no space; interrupted: EINTR once
 * FAIL_N     which call of that kind, from 1
 * FAIL_FROM  if set, all later ones as well
 * FAIL_ERRNO the error (EIO)
 * FAIL_PATH  only calls on paths that have this in them
 * FAIL_COUNT a file that gets the number of calls of each kind at the end
 *
 * Standard input, output and error are left alone. Calls inside the C library do not come by here. Allocations inside
 * of iniparser do not fail and do not count: 4.1 does not look whether they succeed, so the program asks for the memory
 * itself, and gives it back, just before (core/config/ini.c). */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define VISIBLE __attribute__((visibility("default")))
enum { OTHERS = 3 /* descriptors from here on are files of the program's */, PATH_BYTES = 4096 };

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

/* Kinds of calls, by the names that FAIL_OP has. */
#define KINDS(kind)                                                                                                 \
	kind(alloc) kind(open) kind(fopen) kind(opendir) kind(read) kind(pread) kind(write) kind(fsync) kind(ftruncate) \
		kind(rename) kind(link) kind(unlink) kind(mkdir) kind(close) kind(fclose) kind(fwrite) kind(fflush)         \
			kind(flock) kind(pthread_create) kind(short) kind(full) kind(interrupted)
#define NUMBER(name) OP_##name,
#define NAME(name) #name,
enum { KINDS(NUMBER) OPS };
static const char *const names[] = { KINDS(NAME) };

static struct {
	int op; /* OPS: none */
	const char *path, *count;
	long n;
	int error;
	bool from, ready;
	atomic_bool full; /* the disk is, from now on */
	atomic_long calls[OPS];
	uintptr_t begin, end; /* iniparser's code */
} fail = { .op = OPS };

static int find_iniparser(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size, (void)ctx;
	for (int i = 0; strstr(info->dlpi_name, "/libiniparser.") && i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			fail.begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			fail.end = fail.begin + info->dlpi_phdr[i].p_memsz;
		}
	return 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *n = getenv("FAIL_N"), *error = getenv("FAIL_ERRNO"), *op = getenv("FAIL_OP");
	for (int i = 0; op && i < OPS; i++)
		if (!strcmp(op, names[i]))
			fail.op = i;
	fail.path = getenv("FAIL_PATH");
	fail.count = getenv("FAIL_COUNT");
	fail.n = n ? atol(n) : 0;
	fail.error = error ? atoi(error) : EIO;
	fail.from = getenv("FAIL_FROM");
	dl_iterate_phdr(find_iniparser, NULL);
	fail.ready = true;
}

static int (*real_open(void))(const char *, int, ...)
{
	return (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
}

__attribute__((destructor)) static void end(void)
{
	const char *path = fail.count;
	if (!path)
		return;
	fail.ready = false;
	const int fd = real_open()(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	for (int i = 0; i < OPS; i++)
		if (fd < 0 || dprintf(fd, "%s %ld\n", names[i], (long)fail.calls[i]) < 0)
			_exit(97);
	close(fd);
}

/* Whether this call of `op` is one that fails. path NULL: none is asked for. */
static bool due(int op, const char *path)
{
	if (!fail.ready || (fail.path && (!path || !strstr(path, fail.path))))
		return false;
	const long n = atomic_fetch_add(&fail.calls[op], 1) + 1;
	return op == fail.op && (n == fail.n || (fail.from && fail.n && n > fail.n));
}

static bool fails(int op, const char *path)
{
	if (!due(op, path))
		return false;
	errno = fail.error;
	return true;
}

static bool due_at(int op, int fd)
{
	char link[40], path[PATH_BYTES];
	if (fd < OTHERS || !fail.ready)
		return false;
	if (!fail.path)
		return due(op, NULL);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	const ssize_t n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = 0;
	return due(op, path);
}

static bool fails_at(int op, int fd)
{
	if (!due_at(op, fd))
		return false;
	errno = fail.error;
	return true;
}

/* The next function of that name, with its type. */
#define REAL(name)                 \
	static __typeof__(name) *real; \
	if (!real)                     \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* ---------------------------------------------------------------- memory */

static bool no_memory(const void *caller)
{
	if (((uintptr_t)caller >= fail.begin && (uintptr_t)caller < fail.end) || !due(OP_alloc, NULL))
		return false;
	errno = ENOMEM;
	return true;
}

VISIBLE void *malloc(size_t bytes)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(bytes);
}

VISIBLE void *calloc(size_t n, size_t size)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

VISIBLE void *realloc(void *block, size_t bytes)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(block, bytes);
}

VISIBLE void *aligned_alloc(size_t alignment, size_t bytes)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, bytes);
}

VISIBLE int posix_memalign(void **out, size_t alignment, size_t bytes)
{
	if (no_memory(__builtin_return_address(0)))
		return ENOMEM;
	*out = __libc_memalign(alignment, bytes);
	return *out ? 0 : ENOMEM;
}

/* ---------------------------------------------------------------- reading and writing */

static ssize_t no_space(void)
{
	errno = ENOSPC;
	return -1;
}

VISIBLE ssize_t write(int fd, const void *bytes, size_t n)
{
	REAL(write);
	if (fd < OTHERS || !fail.ready)
		return real(fd, bytes, n);
	if (fail.full)
		return no_space();
	if (due_at(OP_interrupted, fd)) {
		errno = EINTR;
		return -1;
	}
	if (fails_at(OP_write, fd))
		return -1;
	if (due_at(OP_full, fd)) {
		fail.full = true;
		return n > 1 ? real(fd, bytes, n / 2) : no_space();
	}
	return real(fd, bytes, n > 1 && due_at(OP_short, fd) ? n / 2 : n);
}

VISIBLE ssize_t read(int fd, void *bytes, size_t n)
{
	REAL(read);
	if (fails_at(OP_read, fd))
		return -1;
	return real(fd, bytes, n > 1 && due_at(OP_short, fd) ? n / 2 : n);
}

VISIBLE ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
	REAL(pread);
	if (fails_at(OP_pread, fd))
		return -1;
	return real(fd, bytes, n > 1 && due_at(OP_short, fd) ? n / 2 : n, at);
}

VISIBLE int fsync(int fd)
{
	REAL(fsync);
	return fails_at(OP_fsync, fd) ? -1 : real(fd);
}

VISIBLE int ftruncate(int fd, off_t bytes)
{
	REAL(ftruncate);
	return fails_at(OP_ftruncate, fd) ? -1 : real(fd, bytes);
}

/* The descriptor is gone whatever comes of it, as Linux has it. */
VISIBLE int close(int fd)
{
	REAL(close);
	const bool bad = fails_at(OP_close, fd);
	const int error = errno, status = real(fd);
	if (bad)
		errno = error;
	return bad ? -1 : status;
}

VISIBLE int flock(int fd, int how)
{
	REAL(flock);
	return fails_at(OP_flock, fd) ? -1 : real(fd, how);
}

/* ---------------------------------------------------------------- names */

VISIBLE int open(const char *path, int flags, ...)
{
	REAL(open);
	va_list ap;
	va_start(ap, flags);
	const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return fails(OP_open, path) ? -1 : real(path, flags, mode);
}

VISIBLE int rename(const char *from, const char *to)
{
	REAL(rename);
	return fails(OP_rename, to) ? -1 : real(from, to);
}

VISIBLE int link(const char *from, const char *to)
{
	REAL(link);
	return fails(OP_link, to) ? -1 : real(from, to);
}

VISIBLE int unlink(const char *path)
{
	REAL(unlink);
	return fails(OP_unlink, path) ? -1 : real(path);
}

VISIBLE int mkdir(const char *path, mode_t mode)
{
	REAL(mkdir);
	return fails(OP_mkdir, path) ? -1 : real(path, mode);
}

VISIBLE DIR *opendir(const char *path)
{
	REAL(opendir);
	return fails(OP_opendir, path) ? NULL : real(path);
}

/* ---------------------------------------------------------------- streams */

static bool is_standard(FILE *f)
{
	return f == stdin || f == stdout || f == stderr;
}

VISIBLE FILE *fopen(const char *path, const char *mode)
{
	REAL(fopen);
	return fails(OP_fopen, path) ? NULL : real(path, mode);
}

VISIBLE int fclose(FILE *f)
{
	REAL(fclose);
	const bool bad = !is_standard(f) && fails(OP_fclose, NULL);
	const int error = errno, status = real(f);
	if (bad)
		errno = error;
	return bad ? EOF : status;
}

VISIBLE size_t fwrite(const void *bytes, size_t size, size_t n, FILE *f)
{
	REAL(fwrite);
	if (is_standard(f) || !fails(OP_fwrite, NULL))
		return real(bytes, size, n, f);
	f->_flags |= _IO_ERR_SEEN; /* ferror will tell */
	return 0;
}

VISIBLE int fflush(FILE *f)
{
	REAL(fflush);
	return f && !is_standard(f) && fails(OP_fflush, NULL) ? EOF : real(f);
}

VISIBLE int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *), void *ctx)
{
	REAL(pthread_create);
	return due(OP_pthread_create, NULL) ? EAGAIN : real(thread, how, start, ctx);
}
