/* dataset.c - one split of the captions. */
#include "mmi_build.h"

#include "fit.h"

struct mm_dataset {
	const mm_instance *instance;
	pairs *pairs;
	uint32_t *ids; /* [length] of the sample being read */
};

static bool has_caption(const pairs *p, const pairs_sample *s, void *ctx)
{
	(void)ctx;
	return p->item[s->item].n_captions > 0;
}

static void report_missing(const mm_instance *i, const pairs *p)
{
	uint32_t missing = 0, first = 0;
	for (uint32_t k = 0; k < p->n_items; k++)
		if (!p->item[k].n_captions && !missing++)
			first = k;
	if (missing)
		mma_log(i->host, MM_LOG_WARNING, "[%s] %u of %u pictures have no caption (first: %s)", i->source.instance,
		        missing, p->n_items, p->item[first].name);
}

mm_status txt_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	if (!i->ready)
		return mma_fail(e, MM_ESTATE, "there is no vocabulary yet; describe comes first");
	mm_dataset *d = mma_new(i->host, 1, sizeof(*d));
	if (!d)
		return mma_no_memory(e, "a data set");
	d->instance = i;
	d->ids = mma_new(i->host, (size_t)i->length, sizeof(*d->ids));
	mm_status status = d->ids ? pairs_open(i->host, &i->source, split, &d->pairs, e) : mma_no_memory(e, "a data set");
	if (status != MM_OK) {
		txt_close(d);
		return status;
	}
	report_missing(i, d->pairs);
	pairs_filter(d->pairs, has_caption, NULL);
	txt_report_fit(i, d->pairs, split == MM_SPLIT_TRAIN ? "training" : "test");
	*out = d;
	return MM_OK;
}

void txt_close(mm_dataset *d)
{
	if (!d)
		return;
	const mma_host *h = d->instance->host;
	pairs_close(d->pairs);
	mma_free(h, d->ids);
	mma_free(h, d);
}

uint64_t txt_count(const mm_dataset *d)
{
	return d->pairs->n_samples;
}

mm_status txt_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	return pairs_key(d->pairs, index, out, size, e);
}

int32_t txt_label(const mm_dataset *d, uint64_t index)
{
	return pairs_label(d->pairs, index);
}

mm_status txt_read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	char caption[4 * PAIRS_CAPTION_MAX];
	MMA_TRY(pairs_check(d->pairs, index, e));
	pairs_caption(d->pairs, &d->pairs->sample[index], caption, sizeof(caption));
	txt_encode(d->instance, caption, d->ids);
	txt_expand(d->instance, d->ids, out);
	return MM_OK;
}

static uint64_t group(const mm_dataset *d, uint64_t index)
{
	return pairs_group(d->pairs, index);
}

const mm_modality_group txt_group = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_group, group),
	.group = group,
};
