/* instance.c - the settings of one modality, what it is, and what a checkpoint keeps of it. */
#include "mmi_build.h"

#include "img.h"
#include "nets.h"

#include <stdio.h>
#include <string.h>

static mm_status read_picture_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	static const char *const filters[] = { "area", "lanczos", NULL }, *const fits[] = { "stretch", "crop", NULL };
	static const char *const broken[] = { "refuse", "skip", NULL }, *const orientations[] = { "exif", "ignore", NULL };
	int64_t cache;
	COM_TRY(pairs_settings(h, c, PAIRS_PICTURE, &i->source, e));
	COM_TRY(com_get_int32(h, c, "size", 64, 32, 256, &i->fit.size, e));
	if (i->fit.size & (i->fit.size - 1))
		return h->config->refuse(c, "size", "32, 64, 128 or 256", e);
	COM_TRY(h->config->get_choice(c, "resize", filters, 0, &i->fit.lanczos, e));
	COM_TRY(h->config->get_choice(c, "fit", fits, 0, &i->fit.crop, e));
	COM_TRY(h->config->get_choice(c, "orientation", orientations, 0, &i->fit.as_stored, e));
	COM_TRY(h->config->get_choice(c, "broken", broken, IMG_BROKEN_REFUSE, &i->broken, e));
	COM_TRY(h->config->get_bool(c, "mirror", 0, &i->mirror, e));
	COM_TRY(h->config->get_int(c, "cache_mb", 256, 0, 1 << 20, &cache, e));
	i->cache_bytes = (size_t)cache << 20;
	return MM_OK;
}

static mm_status read_net_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	static const char *const outputs[] = { "tanh", "linear", NULL };
	int net;
	COM_TRY(h->config->get_choice(c, "net", img_net_names, 0, &net, e));
	i->net = img_net_table[net];
	COM_TRY(h->config->get_choice(c, "output", outputs, i->net->default_output, &i->output, e));
	COM_TRY(com_get_int32(h, c, "width", 32, 1, 1024, &i->width, e));
	COM_TRY(com_get_int32(h, c, "energy_channels", 16, 1, 1024, &i->energy_channels, e));
	COM_TRY(com_get_int32(h, c, "energy_stride", i->fit.size > 64 ? i->fit.size / 64 : 1, 1, 8, &i->energy_stride, e));
	if (i->energy_stride & (i->energy_stride - 1))
		return h->config->refuse(c, "energy_stride", "1, 2, 4 or 8", e);
	return h->config->get_bool(c, "energy_bias", 0, &i->energy_bias, e);
}

mm_status img_create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const com_host *h = self;
	mm_instance *i = com_alloc(h, 1, sizeof(*i));
	if (!i)
		return com_no_memory(e, "an instance");
	i->host = h;
	mm_status status = read_picture_settings(h, config, i, e);
	if (status == MM_OK)
		status = read_net_settings(h, config, i, e);
	if (status != MM_OK) {
		com_release(h, i);
		return status;
	}
	*out = i;
	return MM_OK;
}

void img_destroy(mm_instance *i)
{
	if (i)
		com_release(i->host, i);
}

mm_status img_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	if (!i->knows_classes)
		COM_TRY(pairs_classes(i->host, &i->source, &i->n_classes, e));
	i->knows_classes = true;
	out->shape = (mm_shape){ 3, { i->fit.size, i->fit.size, 3, 0 } };
	out->support = MM_SUPPORT_BOX;
	out->lo = -1.0f;
	out->hi = 1.0f;
	out->likelihood = MM_LIKELIHOOD_GAUSSIAN;
	out->likelihood_scale = 0.5f;
	out->likelihood_weight = 1.0f;
	out->n_classes = i->n_classes;
	return MM_OK;
}

/* ---------------------------------------------------------------- state: one line of text */

#define STATE "img 1 classes %u\n"

static mm_status save(mm_instance *i, void **bytes, size_t *size, mm_error *e)
{
	char *text = com_format(i->host, STATE, (unsigned)i->n_classes);
	if (!text)
		return com_no_memory(e, "a state");
	*bytes = text;
	*size = strlen(text);
	return MM_OK;
}

static mm_status load(mm_instance *i, const void *bytes, size_t size, mm_error *e)
{
	char text[64] = "", again[64];
	unsigned classes = 0;
	if (size && size < sizeof(text))
		memcpy(text, bytes, size);
	bool read = sscanf(text, STATE, &classes) == 1;
	snprintf(again, sizeof(again), STATE, classes);
	if (!read || strcmp(text, again))
		return com_fail(e, MM_EFORMAT, "%zu bytes are no state of this plugin; expected \"img 1 classes N\"", size);
	i->n_classes = classes;
	i->knows_classes = true;
	return MM_OK;
}

const mm_modality_state img_state = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_state, load),
	.save = save,
	.load = load,
};
