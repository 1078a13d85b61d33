/* toy_minimal.c - the least a plugin can be: no settings, no labels, no picture, one host service. */
#include <mmcore/plugin.h>
#include <stddef.h>
#include <stdio.h>

struct mm_instance {
	const mm_host_graph *ops;
};

struct mm_dataset {
	uint64_t count;
};

static struct mm_instance only_instance;
static struct mm_dataset only_dataset = { 1 };

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	(void)e;
	only_instance.ops = api->get_extension(api->host, MM_HOST_GRAPH);
	*self = NULL;
	return only_instance.ops ? MM_OK : MM_EABI;
}

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	(void)self, (void)config, (void)e;
	*out = &only_instance;
	return MM_OK;
}

static void destroy(mm_instance *i)
{
	(void)i;
}

static mm_status describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	(void)i, (void)e;
	out->shape = (mm_shape){ 1, { 2 } };
	out->support = MM_SUPPORT_REAL;
	out->likelihood = MM_LIKELIHOOD_LAPLACE;
	out->likelihood_scale = 1;
	out->likelihood_weight = 1;
	return MM_OK;
}

static mm_status build_encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	(void)e;
	io->z_loc = i->ops->linear(g, io->x, "loc", io->latent_dim, 1, MM_INIT_DEFAULT);
	io->z_raw = i->ops->linear(g, io->x, "raw", io->latent_dim, 1, MM_INIT_DEFAULT);
	return MM_OK;
}

static mm_status build_decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	(void)e;
	io->out = i->ops->linear(g, io->z, "out", 2, 1, MM_INIT_DEFAULT);
	return MM_OK;
}

static mm_status build_features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	(void)i, (void)g, (void)e;
	io->features = io->x;
	return MM_OK;
}

static mm_status open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	(void)i, (void)split, (void)e;
	*out = &only_dataset;
	return MM_OK;
}

static void close(mm_dataset *d)
{
	(void)d;
}

static uint64_t count(const mm_dataset *d)
{
	return d->count;
}

static mm_status key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	(void)d, (void)e;
	snprintf(out, size, "%d", (int)index);
	return MM_OK;
}

static int32_t label(const mm_dataset *d, uint64_t index)
{
	(void)d, (void)index;
	return -1;
}

static mm_status read(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	(void)d, (void)index, (void)e;
	out[0] = 1;
	out[1] = -1;
	return MM_OK;
}

static mm_status render(mm_instance *i, const float *x, const char *path, mm_error *e)
{
	(void)i, (void)x, (void)path, (void)e;
	return MM_EUNSUPPORTED;
}

const mm_plugin_entry *mm_plugin_query_1(void)
{
	static const mm_modality_desc desc = {
		.struct_size = MM_SIZE_THROUGH(mm_modality_desc, render),
		.id = "pair",
		.default_name = "pair",
		.summary = "two numbers",
		.render_suffix = ".txt",
		.create = create,
		.destroy = destroy,
		.describe = describe,
		.build_encoder = build_encoder,
		.build_decoder = build_decoder,
		.build_features = build_features,
		.open = open,
		.close = close,
		.count = count,
		.key = key,
		.label = label,
		.read = read,
		.render = render,
	};
	static const mm_modality_desc *const list[] = { &desc };
	static const mm_plugin_entry entry = {
		.magic = MM_PLUGIN_MAGIC,
		.struct_size = MM_SIZE_THROUGH(mm_plugin_entry, load),
		.abi_major = MM_ABI_MAJOR,
		.abi_tag = MM_ABI_TAG,
		.n_modalities = 1,
		.modalities = list,
		.id = "org.example.toy-minimal",
		.name = "Minimal",
		.vendor = "mmcore tests",
		.version = "1.0",
		.license = "MIT",
		.load = load,
	};
	return &entry;
}
