/* digits.c - loads IDX digits as bit masks, groups them by class, shares them by reference count. */
#include "mmi_build.h"

#include "digits.h"
#include "idx.h"

#include <string.h>
#include <unistd.h>

enum { BLOCK = 256, INK = 128 };

static const char *prefix(int split)
{
	return split == MM_SPLIT_TRAIN ? "train" : "t10k";
}

/* The file of images ("images", "idx3") or of labels, in root or where torchvision puts it, published or unpacked, with
 * a dash or, as some unpackers name it, a dot; *out is NULL when there is none. Folders of that name are passed over.
 */
static mm_status find_file(const mnist_plugin *p, const char *root, int split, const char *what, const char *kind,
                           char **out, mm_error *e)
{
	static const char *const folder[] = { "", "/raw", "/MNIST/raw" }, *const suffix[] = { "", ".gz" };
	static const char joint[] = { '-', '.' };
	*out = NULL;
	for (size_t k = 0; k < MMA_COUNT(folder) * MMA_COUNT(suffix) * MMA_COUNT(joint); k++) {
		char *path = com_format(&p->host, "%s%s/%s-%s%c%s-ubyte%s", root, folder[k / 4], prefix(split), what,
		                        joint[k / 2 % 2], kind, suffix[k % 2]);
		if (!path)
			return mma_no_memory(e, "a path");
		if (!access(path, F_OK) && !com_is_folder(path)) {
			*out = path;
			return MM_OK;
		}
		mma_free(&p->host, path);
	}
	return MM_OK;
}

static mm_status need_file(const mnist_plugin *p, const char *root, int split, const char *what, const char *kind,
                           char **out, mm_error *e)
{
	mm_status status = find_file(p, root, split, what, kind, out, e);
	if (status == MM_OK && !*out)
		return mma_fail(
			e, MM_EIO,
			"no file %s-%s-%s-ubyte, with a dot for its second dash or with .gz behind it, in %s, "
			"its raw or its MNIST/raw; set root to the folder with the four IDX files of MNIST or Fashion-MNIST",
			prefix(split), what, kind, root);
	return status;
}

mm_status mnist_digits_present(const mnist_plugin *p, const char *root, int split, bool *out, mm_error *e)
{
	char *path;
	mm_status status = find_file(p, root, split, "images", "idx3", &path, e);
	*out = status == MM_OK && path;
	mma_free(&p->host, path);
	return status;
}

static void pack(const uint8_t *pixels, mnist_mask *mask)
{
	for (int y = 0; y < MNIST_SIDE; y++) {
		uint32_t bits = 0;
		for (int x = 0; x < MNIST_SIDE; x++)
			bits |= (uint32_t)(pixels[y * MNIST_SIDE + x] > INK) << x;
		mask->row[y] = bits;
	}
}

static mm_status read_masks(mnist_digits *d, mnist_idx *f, uint8_t *pixels, mm_error *e)
{
	for (uint32_t at = 0; at < d->n; at += BLOCK) {
		uint32_t n = d->n - at < BLOCK ? d->n - at : BLOCK;
		mm_status status = mnist_idx_read(f, pixels, n, e);
		if (status != MM_OK)
			return status;
		for (uint32_t k = 0; k < n; k++)
			pack(pixels + (size_t)k * MNIST_PIXELS, &d->mask[at + k]);
	}
	return mnist_idx_finish(f, e);
}

static mm_status load_images(const mnist_plugin *p, mnist_digits *d, const char *path, mm_error *e)
{
	mnist_idx f;
	mm_status status = mnist_idx_open(&f, path, MNIST_IDX_IMAGES, e);
	if (status != MM_OK)
		return status;
	d->n = f.count;
	d->mask = mma_new(&p->host, d->n, sizeof(*d->mask));
	uint8_t *pixels = mma_new(&p->host, BLOCK, MNIST_PIXELS);
	status = d->mask && pixels ? read_masks(d, &f, pixels, e) : mma_no_memory(e, "digits");
	mma_free(&p->host, pixels);
	mnist_idx_close(&f);
	return status;
}

static void number(mnist_digits *d, const uint8_t *label)
{
	uint32_t seen[MNIST_LABELS] = { 0 };
	for (uint32_t k = 0; k < d->n; k++) {
		d->tuple[k] = (mnist_tuple){ seen[label[k]]++, label[k] };
		d->classes = label[k] >= d->classes ? label[k] + 1 : d->classes;
	}
	for (int c = 0; c < MNIST_LABELS; c++)
		d->class_begin[c + 1] = d->class_begin[c] + seen[c];
	for (uint32_t k = 0; k < d->n; k++)
		d->by_class[d->class_begin[d->tuple[k].label] + d->tuple[k].ordinal] = k;
}

static mm_status read_labels(mnist_digits *d, mnist_idx *f, uint8_t *label, mm_error *e)
{
	mm_status status = mnist_idx_read(f, label, d->n, e);
	if (status == MM_OK)
		status = mnist_idx_finish(f, e);
	if (status == MM_OK)
		number(d, label);
	return status;
}

static mm_status load_labels(const mnist_plugin *p, mnist_digits *d, const char *path, const char *images, mm_error *e)
{
	mnist_idx f;
	mm_status status = mnist_idx_open(&f, path, MNIST_IDX_LABELS, e);
	if (status != MM_OK)
		return status;
	uint8_t *label = NULL;
	if (f.count != d->n) {
		status = mma_fail(e, MM_EFORMAT, "%s holds %u labels, %s holds %u images; they do not belong together", path,
		                  (unsigned)f.count, images, (unsigned)d->n);
	} else {
		label = mma_new(&p->host, d->n, 1);
		d->tuple = mma_new(&p->host, d->n, sizeof(*d->tuple));
		d->by_class = mma_new(&p->host, d->n, sizeof(*d->by_class));
		status = label && d->tuple && d->by_class ? read_labels(d, &f, label, e) : mma_no_memory(e, "labels");
	}
	mma_free(&p->host, label);
	mnist_idx_close(&f);
	return status;
}

static void discard(const mnist_plugin *p, mnist_digits *d)
{
	mma_free(&p->host, d->by_class);
	mma_free(&p->host, d->tuple);
	mma_free(&p->host, d->mask);
	mma_free(&p->host, d->root);
	mma_free(&p->host, d);
}

static mm_status load_files(const mnist_plugin *p, mnist_digits *d, mm_error *e)
{
	char *images = NULL, *labels = NULL;
	mm_status status = need_file(p, d->root, d->split, "images", "idx3", &images, e);
	if (status == MM_OK)
		status = need_file(p, d->root, d->split, "labels", "idx1", &labels, e);
	if (status == MM_OK)
		status = load_images(p, d, images, e);
	if (status == MM_OK)
		status = load_labels(p, d, labels, images, e);
	mma_free(&p->host, labels);
	mma_free(&p->host, images);
	return status;
}

static mm_status load(const mnist_plugin *p, const char *root, int split, mnist_digits **out, mm_error *e)
{
	mnist_digits *d = mma_new(&p->host, 1, sizeof(*d));
	if (!d)
		return mma_no_memory(e, "digits");
	d->split = split;
	d->root = com_format(&p->host, "%s", root);
	mm_status status = d->root ? load_files(p, d, e) : mma_no_memory(e, "a path");
	if (status != MM_OK) {
		discard(p, d);
		return status;
	}
	*out = d;
	return MM_OK;
}

mm_status mnist_digits_acquire(mnist_plugin *p, const char *root, int split, mnist_digits **out, mm_error *e)
{
	mm_status status = MM_OK;
	pthread_mutex_lock(&p->lock);
	mnist_digits *d = p->digits;
	while (d && (d->split != split || strcmp(d->root, root)))
		d = d->next;
	if (!d) {
		status = load(p, root, split, &d, e);
		if (status == MM_OK) {
			d->next = p->digits;
			p->digits = d;
		}
	}
	if (status == MM_OK) {
		d->references++;
		*out = d;
	}
	pthread_mutex_unlock(&p->lock);
	return status;
}

void mnist_digits_release(mnist_plugin *p, mnist_digits *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&p->lock);
	if (!--d->references) {
		mnist_digits **link = &p->digits;
		while (*link != d)
			link = &(*link)->next;
		*link = d->next;
		discard(p, d);
	}
	pthread_mutex_unlock(&p->lock);
}
