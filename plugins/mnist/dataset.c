/* dataset.c - the calls every data set answers, and the choice of its source. */
#include "mmi_build.h"

#include "dataset.h"
#include "picture.h"

#include <stdio.h>

/* What source = auto means: IDX files if they are there, else PolyMNIST's folders. */
static mm_status detect_source(const mm_instance *i, int split, int *out, mm_error *e)
{
	const bool train = split == MM_SPLIT_TRAIN;
	bool idx, folder;
	mm_status status = mnist_digits_present(i->plugin, i->root, split, &idx, e);
	if (status == MM_OK)
		status = mnist_folder_present(i->plugin, i->root, split, &folder, e);
	if (status != MM_OK)
		return status;
	if (!idx && !folder)
		return mma_fail(e, MM_EIO,
		                "%s holds neither MNIST's IDX files (%s-images-idx3-ubyte[.gz], also below "
		                "raw or MNIST/raw) nor PolyMNIST's folders (%s/m%d, also below PolyMNIST or MMNIST); set root "
		                "in [%s] or in [data]",
		                i->root, train ? "train" : "t10k", train ? "train" : "test", (int)i->view, i->name);
	*out = idx ? MNIST_SOURCE_IDX : MNIST_SOURCE_FOLDER;
	return MM_OK;
}

static mm_status choose_source(const mm_instance *i, int split, int *out, mm_error *e)
{
	if (!i->root)
		return mma_fail(e, MM_ECONFIG,
		                "no data folder; set root in [%s] or in [data] to a folder with MNIST's IDX files or "
		                "PolyMNIST's pictures",
		                i->name);
	*out = i->source;
	return i->source == MNIST_SOURCE_AUTO ? detect_source(i, split, out, e) : MM_OK;
}

mm_status mnist_dataset_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	int source = MNIST_SOURCE_AUTO;
	if (split != MM_SPLIT_TRAIN && split != MM_SPLIT_TEST)
		return mma_fail(e, MM_EUNSUPPORTED, "split %d is unknown; there are 0 (train) and 1 (test)", (int)split);
	mm_status status = choose_source(i, split, &source, e);
	if (status != MM_OK)
		return status;
	mm_dataset *d = mma_new(&i->plugin->host, 1, sizeof(*d));
	if (!d)
		return mma_no_memory(e, "a data set");
	d->plugin = i->plugin;
	status = (source == MNIST_SOURCE_IDX ? mnist_styled_open : mnist_folder_open)(i, split, d, e);
	if (status != MM_OK) {
		mnist_dataset_close(d);
		return status;
	}
	*out = d;
	return MM_OK;
}

void mnist_dataset_close(mm_dataset *d)
{
	if (!d)
		return;
	mnist_plugin *p = d->plugin;
	mnist_digits_release(p, d->digits);
	mma_free(&p->host, d->background.rgb);
	mma_free(&p->host, d->digit);
	mma_free(&p->host, d->folder);
	mma_free(&p->host, d->found);
	mma_free(&p->host, d);
}

uint64_t mnist_limited(const mm_instance *i, uint64_t all)
{
	return i->limit && (uint64_t)i->limit < all ? (uint64_t)i->limit : all;
}

uint64_t mnist_dataset_count(const mm_dataset *d)
{
	return d->n;
}

static mm_status check_index(const mm_dataset *d, uint64_t index, mm_error *e)
{
	if (index < d->n)
		return MM_OK;
	return mma_fail(e, MM_EARG, "sample %llu of a data set of %llu", (unsigned long long)index,
	                (unsigned long long)d->n);
}

mm_status mnist_dataset_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	char text[32];
	mm_status status = check_index(d, index, e);
	if (status != MM_OK)
		return status;
	const mnist_tuple *t = &d->tuple[index];
	int length = snprintf(text, sizeof(text), "%u.%u", (unsigned)t->ordinal, (unsigned)t->label);
	if ((size_t)length >= size)
		return mma_fail(e, MM_EARG, "key %s needs %d bytes, the buffer has %zu", text, length + 1, size);
	snprintf(out, size, "%s", text);
	return MM_OK;
}

int32_t mnist_dataset_label(const mm_dataset *d, uint64_t index)
{
	return index < d->n ? (int32_t)d->tuple[index].label : -1;
}

mm_status mnist_dataset_read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	uint8_t rgb[MNIST_BYTES];
	mm_status status = check_index(d, index, e);
	if (status == MM_OK)
		status = d->paint(d, index, rgb, e);
	if (status != MM_OK)
		return status;
	com_samples(rgb, MNIST_BYTES, out);
	return MM_OK;
}
