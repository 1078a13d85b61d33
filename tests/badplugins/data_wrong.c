/* data_wrong.c - defect: a callback about data breaks its contract; the setting "wrong" says which and how. Samples are
 * two distributions of four. */
#include "toy.h"

#include <math.h>

enum {
	NO_DATA,
	OPEN_STATUS,
	KEY_EMPTY,
	KEY_LONG,
	KEY_CUT,
	KEY_ENDLESS,
	KEY_UNWRITTEN,
	KEY_FAILS,
	LABEL,
	READ_NOTHING,
	READ_HALF,
	READ_NAN,
	READ_RANGE,
	READ_SUM,
	READ_STATUS,
	VARY_RANGE
};
static int wrong;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "no-data",    "open-status",  "key-empty",     "key-long",
		                                "key-cut",    "key-endless",  "key-unwritten", "key-fails",
		                                "label",      "read-nothing", "read-half",     "read-nan",
		                                "read-range", "read-sum",     "read-status",   "vary-range",
		                                NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "wrong", ways, 0, &wrong, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_status describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	mm_status status = toy_describe(i, out, e);
	out->shape = (mm_shape){ 2, { 2, 4 } };
	out->support = MM_SUPPORT_SIMPLEX;
	return status;
}

static mm_status open_data(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	if (wrong == OPEN_STATUS)
		return 99;
	return wrong == NO_DATA ? MM_OK : toy_open(i, split, out, e);
}

static mm_status key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	if (wrong == KEY_FAILS)
		return toy_fail(e, MM_EIO, "the list is gone");
	if (wrong == KEY_UNWRITTEN)
		return MM_OK;
	if (wrong < KEY_EMPTY || wrong > KEY_ENDLESS)
		return toy_key(d, index, out, size, e);
	size_t length = wrong == KEY_EMPTY ? 0 : wrong == KEY_LONG ? 256 : wrong == KEY_CUT ? size - 1 : size;
	memset(out, 'a', length);
	if (length < size)
		out[length] = 0;
	return MM_OK;
}

static int32_t label(const mm_dataset *d, uint64_t index)
{
	return wrong == LABEL ? 2 : toy_label(d, index);
}

static mm_status read_sample(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	(void)d, (void)index, (void)e;
	if (wrong == READ_STATUS)
		return -1;
	for (int k = 0; k < (wrong == READ_NOTHING ? 0 : wrong == READ_HALF ? 4 : TOY_SIZE); k++)
		out[k] = 0.25f;
	if (wrong == READ_NAN)
		out[5] = NAN;
	if (wrong == READ_RANGE)
		out[5] = -0.5f;
	if (wrong == READ_SUM)
		out[4] = out[5] = out[6] = out[7] = 0.5f;
	return MM_OK;
}

static void vary(const mm_instance *i, uint64_t draw, float *x)
{
	(void)i, (void)draw;
	x[0] = 7;
}

static const void *extension(const char *id)
{
	static const mm_modality_variation variation = { MM_SIZE_THROUGH(mm_modality_variation, vary), vary };
	return !strcmp(id, MM_MODALITY_VARIATION) && wrong == VARY_RANGE ? &variation : NULL;
}

TOY_PLUGIN("org.example.data-wrong", desc.create = create; desc.describe = describe; desc.open = open_data;
           desc.key = key; desc.label = label; desc.read = read_sample; desc.get_extension = extension)
