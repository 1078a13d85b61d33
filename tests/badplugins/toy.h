/* toy.h - a complete small plugin, included by every test plugin: a vector of 8 numbers with made-up data. Each .c here
 * exports it with one change, most of them a defect that the host must find. */
#ifndef TOY_H
#define TOY_H

#include <mmcore/plugin.h>
#include <stdio.h>
#include <string.h>

#define TOY_SIZE 8

typedef struct toy_self {
	const mm_host_api *api;
	const mm_host_config *config;
	const mm_host_random *random;
	const mm_host_graph *graph;
} toy_self;

struct mm_instance {
	const toy_self *self;
	double gain;
	int64_t hidden;
	const char *name;
};

struct mm_dataset {
	mm_instance *instance;
	uint64_t count, stream;
};

static mm_status toy_fail(mm_error *e, mm_status code, const char *text)
{
	e->code = code;
	snprintf(e->message, sizeof e->message, "%s", text);
	return code;
}

static mm_status toy_load(const mm_host_api *api, void **self, mm_error *e)
{
	toy_self *made = api->alloc(api->host, sizeof *made);
	if (!made)
		return toy_fail(e, MM_ENOMEM, "no memory");
	made->api = api;
	made->config = api->get_extension(api->host, MM_HOST_CONFIG);
	made->random = api->get_extension(api->host, MM_HOST_RANDOM);
	made->graph = api->get_extension(api->host, MM_HOST_GRAPH);
	if (!made->config || !made->random || !made->graph) {
		api->release(api->host, made);
		return toy_fail(e, MM_EABI, "this host lacks settings, randomness or networks");
	}
	*self = made;
	return MM_OK;
}

static void toy_unload(void *self)
{
	toy_self *s = self;
	s->api->release(s->api->host, s);
}

static mm_status toy_settings(mm_instance *i, mm_config *config, mm_error *e)
{
	const mm_host_config *c = i->self->config;
	mm_status status = c->get_float(config, "gain", 1, 0, 10, &i->gain, e);
	if (status == MM_OK)
		status = c->get_int(config, "hidden", 16, 1, 1024, &i->hidden, e);
	if (status == MM_OK)
		status = c->get_string(config, "label", "toy", &i->name, e);
	return status;
}

static mm_status toy_create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const toy_self *s = self;
	char text[64];
	mm_instance *i = s->api->alloc(s->api->host, sizeof *i);
	if (!i)
		return toy_fail(e, MM_ENOMEM, "no memory");
	i->self = s;
	mm_status status = toy_settings(i, config, e);
	if (status != MM_OK) {
		s->api->release(s->api->host, i);
		return status;
	}
	snprintf(text, sizeof text, "gain %g", i->gain);
	s->api->log(s->api->host, MM_LOG_INFO, text);
	*out = i;
	return MM_OK;
}

static void toy_destroy(mm_instance *i)
{
	if (i)
		i->self->api->release(i->self->api->host, i);
}

static mm_status toy_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	(void)i;
	(void)e;
	out->shape = (mm_shape){ 1, { TOY_SIZE } };
	out->support = MM_SUPPORT_BOX;
	out->lo = -1;
	out->hi = 1;
	out->likelihood = MM_LIKELIHOOD_GAUSSIAN;
	out->likelihood_scale = 0.7f;
	out->likelihood_weight = 1;
	out->n_classes = 2;
	return MM_OK;
}

static mm_status toy_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mm_host_graph *ops = i->self->graph;
	(void)e;
	mm_tensor h = ops->linear(g, io->x, "hidden", (int32_t)i->hidden, 1, MM_INIT_DEFAULT);
	h = ops->activation(g, h, MM_ACT_RELU, 0);
	io->z_loc = ops->linear(g, h, "z_loc", io->latent_dim, 1, MM_INIT_DEFAULT);
	io->z_raw = ops->linear(g, h, "z_raw", io->latent_dim, 1, MM_INIT_DEFAULT);
	if (io->private_dim > 0) {
		io->w_loc = ops->linear(g, h, "w_loc", io->private_dim, 1, MM_INIT_DEFAULT);
		io->w_raw = ops->linear(g, h, "w_raw", io->private_dim, 1, MM_INIT_DEFAULT);
	}
	return MM_OK;
}

static mm_status toy_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mm_host_graph *ops = i->self->graph;
	(void)e;
	const mm_tensor both[2] = { io->z, io->w };
	mm_tensor h = io->w == MM_NO_TENSOR ? io->z : ops->concat(g, both, 2, 0);
	h = ops->linear(g, h, "hidden", (int32_t)i->hidden, 1, MM_INIT_DEFAULT);
	h = ops->activation(g, h, MM_ACT_RELU, 0);
	h = ops->linear(g, h, "out", TOY_SIZE, 1, MM_INIT_DEFAULT);
	io->out = ops->activation(g, h, MM_ACT_TANH, 0);
	return MM_OK;
}

static mm_status toy_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)e;
	io->features = i->self->graph->linear(g, io->x, "features", 4, 0, MM_INIT_DEFAULT);
	return MM_OK;
}

static mm_status toy_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	const mm_host_api *api = i->self->api;
	mm_dataset *d = api->alloc(api->host, sizeof *d);
	if (!d)
		return toy_fail(e, MM_ENOMEM, "no memory");
	d->instance = i;
	d->count = split == MM_SPLIT_TRAIN ? 32 : 8;
	d->stream = i->self->random->stream(api->host, split == MM_SPLIT_TRAIN ? "train" : "test");
	*out = d;
	return MM_OK;
}

static void toy_close(mm_dataset *d)
{
	if (d)
		d->instance->self->api->release(d->instance->self->api->host, d);
}

static uint64_t toy_count(const mm_dataset *d)
{
	return d->count;
}

static mm_status toy_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	(void)d;
	(void)e;
	snprintf(out, size, "%llu", (unsigned long long)index);
	return MM_OK;
}

static int32_t toy_label(const mm_dataset *d, uint64_t index)
{
	(void)d;
	return (int32_t)(index % 2);
}

static mm_status toy_read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	const toy_self *s = d->instance->self;
	uint32_t words[4];
	(void)e;
	for (uint32_t k = 0; k < TOY_SIZE; k++) {
		if (k % 4 == 0)
			s->random->words(s->api->host, d->stream, index, k / 4, words);
		float sign = index % 2 ? 0.5f : -0.5f, noise = (float)(words[k % 4] >> 8) / 16777216.0f - 0.5f;
		out[k] = sign + 0.5f * noise;
	}
	return MM_OK;
}

static mm_status toy_render(mm_instance *i, const float *x, const char *path, mm_error *e)
{
	(void)i;
	FILE *file = fopen(path, "w");
	if (!file)
		return toy_fail(e, MM_EIO, "cannot write the file");
	for (int k = 0; k < TOY_SIZE; k++)
		fprintf(file, "%.9g\n", (double)x[k]); /* reading it gives the same bits */
	return fclose(file) == 0 ? MM_OK : toy_fail(e, MM_EIO, "cannot write the file");
}

static mm_status toy_picture_size(mm_instance *i, uint32_t *width, uint32_t *height, mm_error *e)
{
	(void)i;
	(void)e;
	*width = TOY_SIZE;
	*height = 1;
	return MM_OK;
}

static mm_status toy_draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	(void)i;
	(void)e;
	(void)stride;
	for (int k = 0; k < TOY_SIZE; k++)
		memset(rgb + 3 * k, (int)((x[k] + 1) * 127.5f), 3);
	return MM_OK;
}

static const mm_modality_picture toy_picture = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_picture, draw),
	.size = toy_picture_size,
	.draw = toy_draw,
};

/* Eight numbers with spaces between them, as render writes them. Whether they are within the support is not asked. */
static mm_status toy_read_text(mm_instance *i, const char *text, float *out, mm_error *e)
{
	float x[TOY_SIZE];
	(void)i;
	if (sscanf(text, "%f%f%f%f%f%f%f%f", x, x + 1, x + 2, x + 3, x + 4, x + 5, x + 6, x + 7) != TOY_SIZE)
		return toy_fail(e, MM_EFORMAT, "expected eight numbers");
	memcpy(out, x, sizeof x);
	return MM_OK;
}

static mm_status toy_read_file(mm_instance *i, const char *path, float *out, mm_error *e)
{
	char text[256];
	FILE *file = fopen(path, "r");
	if (!file)
		return toy_fail(e, MM_EIO, "cannot read the file");
	text[fread(text, 1, sizeof text - 1, file)] = 0;
	fclose(file);
	return toy_read_text(i, text, out, e);
}

static const mm_modality_file toy_file = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_file, read_text),
	.read_file = toy_read_file,
	.read_text = toy_read_text,
};

static mm_status toy_classifier_build(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	const mm_host_graph *ops = i->self->graph;
	(void)e;
	io->features = ops->activation(g, ops->linear(g, io->x, "hidden", 5, 1, MM_INIT_DEFAULT), MM_ACT_TANH, 0);
	io->logits = ops->linear(g, io->features, "logits", io->n_classes, 1, MM_INIT_DEFAULT);
	return MM_OK;
}

static const mm_modality_classifier toy_classifier = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_classifier, build),
	.features_name = "hidden5",
	.build = toy_classifier_build,
};

static const void *toy_extension(const char *id)
{
	if (!strcmp(id, MM_MODALITY_FILE))
		return &toy_file;
	if (!strcmp(id, MM_MODALITY_PICTURE))
		return &toy_picture;
	return !strcmp(id, MM_MODALITY_CLASSIFIER) ? &toy_classifier : NULL;
}

static inline void toy_fill(mm_plugin_entry *entry, mm_modality_desc *desc, const mm_modality_desc *const *list,
                            const char *id)
{
	*desc = (mm_modality_desc){
		.struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
		.id = "vector",
		.default_name = "vector",
		.summary = "eight made-up numbers",
		.render_suffix = ".txt",
		.create = toy_create,
		.destroy = toy_destroy,
		.describe = toy_describe,
		.build_encoder = toy_encoder,
		.build_decoder = toy_decoder,
		.build_features = toy_features,
		.open = toy_open,
		.close = toy_close,
		.count = toy_count,
		.key = toy_key,
		.label = toy_label,
		.read = toy_read,
		.render = toy_render,
		.get_extension = toy_extension,
	};
	*entry = (mm_plugin_entry){
		.magic = MM_PLUGIN_MAGIC,
		.struct_size = MM_SIZE_THROUGH(mm_plugin_entry, unload),
		.abi_major = MM_ABI_MAJOR,
		.abi_minor_built = MM_ABI_MINOR,
		.abi_minor_required = 0,
		.abi_tag = MM_ABI_TAG,
		.n_modalities = 1,
		.modalities = list,
		.id = id,
		.name = "Toy",
		.vendor = "mmcore tests",
		.version = "1.0",
		.license = "MIT",
		.load = toy_load,
		.unload = toy_unload,
	};
}

/* The query of a plugin: the toy with `change` (statements on entry and desc) applied. */
#define TOY_PLUGIN(plugin_id, change)                                    \
	const mm_plugin_entry *mm_plugin_query_1(void)                       \
	{                                                                    \
		static mm_modality_desc desc;                                    \
		static const mm_modality_desc *const list[2] = { &desc, &desc }; \
		static mm_plugin_entry entry;                                    \
		if (entry.magic) /* another host of this process reads it */     \
			return &entry;                                               \
		toy_fill(&entry, &desc, list, plugin_id);                        \
		change;                                                          \
		return &entry;                                                   \
	}

#endif
