/* folder.c - PolyMNIST as published: {train,test}/m{view}/{i}.{digit}.png, decoded when read, paired by file name. */
#include "mmi_build.h"

#include "dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct listing {
	mnist_tuple *tuple;
	size_t n, capacity;
	size_t ignored; /* names that are no {i}.{digit}.png */
} listing;

static const char *split_name(int split)
{
	return split == MM_SPLIT_TRAIN ? "train" : "test";
}

/* The split's folder below root, root/PolyMNIST or root/MMNIST; *out is NULL when there is none. */
static mm_status find_split(const mnist_plugin *p, const char *root, int split, char **out, mm_error *e)
{
	static const char *const inside[] = { "", "/PolyMNIST", "/MMNIST" };
	*out = NULL;
	for (size_t k = 0; k < sizeof(inside) / sizeof(inside[0]); k++) {
		char *path = com_format(&p->host, "%s%s/%s", root, inside[k], split_name(split));
		if (!path)
			return mma_no_memory(e, "a path");
		if (com_is_folder(path)) {
			*out = path;
			return MM_OK;
		}
		mma_free(&p->host, path);
	}
	return MM_OK;
}

mm_status mnist_folder_present(const mnist_plugin *p, const char *root, int split, bool *out, mm_error *e)
{
	char *path;
	mm_status status = find_split(p, root, split, &path, e);
	*out = status == MM_OK && path;
	mma_free(&p->host, path);
	return status;
}

/* "{i}.{digit}.png", i without leading zeros and below 10^9, so that a name and its numbers say the same. */
static bool parse_name(const char *name, mnist_tuple *out)
{
	size_t digits = strspn(name, "0123456789");
	const char *rest = name + digits;
	if (!digits || digits > 9 || (name[0] == '0' && digits > 1))
		return false;
	if (rest[0] != '.' || rest[1] < '0' || rest[1] > '9' || strcmp(rest + 2, ".png"))
		return false;
	*out = (mnist_tuple){ (uint32_t)strtoul(name, NULL, 10), (uint32_t)(rest[1] - '0') };
	return true;
}

static mm_status append(const mnist_plugin *p, listing *l, mnist_tuple tuple, mm_error *e)
{
	mnist_tuple *grown = mma_grow(&p->host, l->tuple, l->n, &l->capacity, sizeof(*grown));
	if (!grown)
		return mma_no_memory(e, "a list of files");
	l->tuple = grown;
	l->tuple[l->n++] = tuple;
	return MM_OK;
}

static mm_status list_entries(const mnist_plugin *p, DIR *folder, const char *path, listing *l, mm_error *e)
{
	for (;;) {
		mnist_tuple tuple;
		mm_status status = MM_OK;
		errno = 0;
		const struct dirent *entry = readdir(folder);
		if (!entry)
			return errno ? mma_fail(e, MM_EIO, "%s: %s", path, strerror(errno)) : MM_OK;
		if (parse_name(entry->d_name, &tuple))
			status = append(p, l, tuple, e);
		else if (entry->d_name[0] != '.')
			l->ignored++;
		if (status != MM_OK)
			return status;
	}
}

/* By number, then digit: classes alternate, so a limit keeps them balanced. */
static int compare(const void *a, const void *b)
{
	const mnist_tuple *s = a, *t = b;
	if (s->ordinal != t->ordinal)
		return s->ordinal < t->ordinal ? -1 : 1;
	return (s->label > t->label) - (s->label < t->label);
}

static mm_status list(const mnist_plugin *p, const char *path, listing *l, mm_error *e)
{
	DIR *folder = opendir(path);
	if (!folder)
		return mma_fail(e, MM_EIO, "%s: %s; a view of PolyMNIST is a folder m0, m1, ...: set view to one that exists",
		                path, strerror(errno));
	mm_status status = list_entries(p, folder, path, l, e);
	closedir(folder);
	if (status != MM_OK)
		return status;
	if (!l->n)
		return mma_fail(e, MM_EFORMAT, "%s: no picture named {number}.{digit}.png among its %zu files", path,
		                l->ignored);
	if (l->ignored)
		mma_log(&p->host, MM_LOG_WARNING, "%s: %zu files are not named {number}.{digit}.png and are ignored", path,
		        l->ignored);
	qsort(l->tuple, l->n, sizeof(*l->tuple), compare);
	return MM_OK;
}

static mm_status paint(const mm_dataset *d, uint64_t index, uint8_t rgb[MNIST_BYTES], mm_error *e)
{
	const mnist_tuple *t = &d->tuple[index];
	char *path = com_format(&d->plugin->host, "%s/%u.%u.png", d->folder, (unsigned)t->ordinal, (unsigned)t->label);
	if (!path)
		return mma_no_memory(e, "a path");
	mm_status status = mnist_png_read(path, MNIST_SIDE, MNIST_SIDE, rgb, e);
	mma_free(&d->plugin->host, path);
	return status;
}

static mm_status find_view(const mm_instance *i, int split, char **out, mm_error *e)
{
	const mnist_plugin *p = i->plugin;
	char *base;
	mm_status status = find_split(p, i->root, split, &base, e);
	if (status != MM_OK)
		return status;
	if (!base)
		return mma_fail(e, MM_EIO,
		                "no folder %s in %s, %s/PolyMNIST or %s/MMNIST; set root to where PolyMNIST was unpacked",
		                split_name(split), i->root, i->root, i->root);
	*out = com_format(&p->host, "%s/m%d", base, (int)i->view);
	mma_free(&p->host, base);
	return *out ? MM_OK : mma_no_memory(e, "a path");
}

mm_status mnist_folder_open(const mm_instance *i, int split, mm_dataset *d, mm_error *e)
{
	listing found = { 0 };
	mm_status status = find_view(i, split, &d->folder, e);
	if (status == MM_OK)
		status = list(i->plugin, d->folder, &found, e);
	d->found = found.tuple;
	d->tuple = found.tuple;
	d->n = mnist_limited(i, found.n);
	d->paint = paint;
	return status;
}
