/* styled.c - a view made on the fly: digit from IDX files, background from a PNG file or drawn. */
#include "mmi_build.h"

#include "dataset.h"
#include "texture.h"

#include <string.h>

/* Which digit stands in tuple "i.c": entry i of a permutation of class c that only this view and split use. The whole
 * class takes part, also under a limit, so a limit does not change the tuples it keeps. */
static mm_status pair(const mm_instance *i, int split, mm_dataset *d, mm_error *e)
{
	const mnist_plugin *p = i->plugin;
	const mnist_digits *all = d->digits;
	uint64_t stream = p->host.random->stream(p->host.api->host, "mnist/pair");
	uint32_t *shuffled = mma_new(&p->host, all->n, sizeof(*shuffled)); /* grouped by class, as by_class */
	d->digit = mma_new(&p->host, (size_t)d->n, sizeof(*d->digit));
	if (!shuffled || !d->digit) {
		mma_free(&p->host, shuffled);
		return mma_no_memory(e, "the pairing");
	}
	for (uint32_t c = 0; c < (uint32_t)all->classes; c++) {
		uint32_t begin = all->class_begin[c], n = all->class_begin[c + 1] - begin;
		uint64_t index = (uint64_t)split << 56 | (uint64_t)i->view << 8 | c;
		if (n)
			p->host.random->permutation(p->host.api->host, stream, index, n, shuffled + begin);
	}
	for (uint64_t k = 0; k < d->n; k++) {
		const uint32_t begin = all->class_begin[all->tuple[k].label];
		d->digit[k] = all->by_class[begin + shuffled[begin + all->tuple[k].ordinal]];
	}
	mma_free(&p->host, shuffled);
	return MM_OK;
}

/* A corner below n = size - 28, as PolyMNIST's randint: the last one is never drawn. */
static size_t corner(uint32_t word, uint32_t size)
{
	uint32_t n = size > MNIST_SIDE ? size - MNIST_SIDE : 1;
	return (size_t)((uint64_t)word * n >> 32);
}

/* Copies a row of the background, inverted (255 - v) under the ink. */
static void paint_row(const uint8_t *from, uint32_t ink, uint8_t *to)
{
	for (int x = 0; x < MNIST_SIDE; x++) {
		uint8_t flip = (uint8_t) - (ink >> x & 1);
		to[3 * x] = from[3 * x] ^ flip;
		to[3 * x + 1] = from[3 * x + 1] ^ flip;
		to[3 * x + 2] = from[3 * x + 2] ^ flip;
	}
}

static mm_status paint(const mm_dataset *d, uint64_t index, uint8_t rgb[MNIST_BYTES], mm_error *e)
{
	const mnist_mask *mask = &d->digits->mask[d->digit[index]];
	const mnist_image *b = &d->background;
	uint32_t word[4];
	(void)e;
	d->plugin->host.random->words(d->plugin->host.api->host, d->crop_stream, d->crop_base | index, 0, word);
	size_t left = corner(word[0], b->width), top = corner(word[1], b->height);
	for (size_t y = 0; y < MNIST_SIDE; y++)
		paint_row(b->rgb + ((top + y) * b->width + left) * 3, mask->row[y], rgb + y * MNIST_SIDE * 3);
	return MM_OK;
}

static mm_status check_labels(const mm_instance *i, const mnist_digits *d, mm_error *e)
{
	if (d->classes <= i->classes)
		return MM_OK;
	return mma_fail(e, MM_EFORMAT,
	                "%s: labels go up to %d, expected 0 to %d; for data of more classes, such as EMNIST's letters, set "
	                "classes = %d in [%s]",
	                i->root, (int)d->classes - 1, (int)i->classes - 1, (int)d->classes, i->name);
}

mm_status mnist_styled_open(const mm_instance *i, int split, mm_dataset *d, mm_error *e)
{
	mnist_plugin *p = i->plugin;
	mm_status status = mnist_digits_acquire(p, i->root, split, &d->digits, e);
	if (status == MM_OK)
		status = check_labels(i, d->digits, e);
	if (status == MM_OK)
		status = i->background ? mnist_png_load(p, i->background, &d->background, e)
		                       : mnist_texture(p, (uint32_t)i->view, &d->background, e);
	if (status != MM_OK)
		return status;
	d->n = mnist_limited(i, d->digits->n);
	d->tuple = d->digits->tuple;
	d->crop_stream = p->host.random->stream(p->host.api->host, "mnist/crop");
	d->crop_base = (uint64_t)split << 56 | (uint64_t)i->view << 32;
	d->paint = paint;
	return pair(i, split, d, e);
}
