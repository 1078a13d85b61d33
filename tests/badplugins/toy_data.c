/* toy_data.c - no defect: as many samples and classes as its settings say, in turn or sorted by class; test = 0: no
 * test split. */
#include "toy.h"

static int64_t n_train, n_test, n_classes, n_unreadable, broken;
static int is_sorted;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const order[] = { "turns", "sorted", NULL };
	const toy_self *s = self;
	const mm_host_config *c = s->config;
	mm_status status = c->get_int(config, "train", 32, 1, 10000, &n_train, e);
	if (status == MM_OK)
		status = c->get_int(config, "test", 8, 0, 10000, &n_test, e);
	if (status == MM_OK)
		status = c->get_int(config, "classes", 2, 0, TOY_SIZE, &n_classes, e);
	if (status == MM_OK)
		status = c->get_int(config, "unreadable", 0, 0, 10000, &n_unreadable,
		                    e); /* so many at the start of the test split */
	if (status == MM_OK)
		status = c->get_int(config, "broken", -1, -1, 10000, &broken,
		                    e); /* the sample of the training split that cannot be read */
	if (status == MM_OK)
		status = c->get_choice(config, "order", order, 0, &is_sorted, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_status describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	toy_describe(i, out, e);
	out->n_classes = (uint32_t)n_classes;
	return MM_OK;
}

static mm_status open_split(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	if (split == MM_SPLIT_TEST && !n_test)
		return toy_fail(e, MM_EFORMAT, "no sample in the test split");
	mm_status status = toy_open(i, split, out, e);
	if (status == MM_OK)
		(*out)->count = (uint64_t)(split == MM_SPLIT_TEST ? n_test : n_train);
	return status;
}

static int32_t label(const mm_dataset *d, uint64_t index)
{
	const uint64_t classes = n_classes ? (uint64_t)n_classes : 1;
	return (int32_t)(is_sorted ? index * classes / d->count : index % classes);
}

static mm_status read_sample(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	if (d->count == (uint64_t)n_test && index < (uint64_t)n_unreadable)
		return toy_fail(e, MM_EFORMAT, "this one cannot be read");
	if (d->count == (uint64_t)n_train && n_train != n_test && (int64_t)index == broken)
		return toy_fail(e, MM_EFORMAT, "this one cannot be read");
	mm_status status = toy_read(d, index, out, e);
	for (int32_t k = 0; k < TOY_SIZE && status == MM_OK; k++)
		out[k] = 0.2f * out[k] + (k == label(d, index) ? 0.7f : -0.7f);
	return status;
}

TOY_PLUGIN("org.example.toy-data", desc.create = create; desc.describe = describe; desc.open = open_split;
           desc.label = label; desc.read = read_sample)
