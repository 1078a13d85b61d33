/* plugin.c - the exported entry: who we are, what we offer, which host services we need. */
#include "config.h"

#include "dataset.h"
#include "mnist.h"
#include "nets.h"

static const mm_modality_desc styled_digit = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	.id = "styled-digit",
	.default_name = "digit",
	.summary = "28x28 RGB views of MNIST or Fashion-MNIST on textured backgrounds, as PolyMNIST; or PolyMNIST's own folders",
	.render_suffix = ".png",
	.create = mnist_create,
	.destroy = mnist_destroy,
	.describe = mnist_describe,
	.build_encoder = mnist_build_encoder,
	.build_decoder = mnist_build_decoder,
	.build_features = mnist_build_features,
	.open = mnist_dataset_open,
	.close = mnist_dataset_close,
	.count = mnist_dataset_count,
	.key = mnist_dataset_key,
	.label = mnist_dataset_label,
	.read = mnist_dataset_read,
	.render = mnist_render,
	.get_extension = mnist_extension,
};

static const mm_modality_desc *const modalities[] = { &styled_digit };

/* A service table that reaches at least to `size` bytes, the end of the last member used. */
static mm_status service(const mm_host_api *api, const char *id, uint32_t size, const void **out, mm_error *e)
{
	const void *table = api->get_extension(api->host, id);
	if (!table)
		return mnist_fail(e, MM_EUNSUPPORTED, "this host lacks the service %s; a newer mmcore has it", id);
	uint32_t found = *(const uint32_t *)table; /* every table starts with struct_size */
	if (found < size)
		return mnist_fail(e, MM_EABI, "the host's table %s has %u bytes, %u are needed; a newer mmcore has them", id,
		                  (unsigned)found, (unsigned)size);
	*out = table;
	return MM_OK;
}

static mm_status services(const mm_host_api *api, mnist_plugin *p, mm_error *e)
{
	const void *config, *random, *graph;
	mm_status status = service(api, MM_HOST_CONFIG, MM_SIZE_THROUGH(mm_host_config, refuse), &config, e);
	if (status == MM_OK)
		status = service(api, MM_HOST_RANDOM, MM_SIZE_THROUGH(mm_host_random, permutation), &random, e);
	if (status == MM_OK)
		status = service(api, MM_HOST_GRAPH, MM_SIZE_THROUGH(mm_host_graph, fail), &graph, e);
	if (status != MM_OK)
		return status;
	p->config = config;
	p->random = random;
	p->graph = graph;
	return MM_OK;
}

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	mnist_plugin found = { .api = api };
	mm_status status = services(api, &found, e);
	if (status != MM_OK)
		return status;
	mnist_plugin *p = mnist_alloc(&found, 1, sizeof(*p));
	if (!p)
		return mnist_no_memory(e, "the plugin's state");
	*p = found;
	if (pthread_mutex_init(&p->lock, NULL)) {
		mnist_release(&found, p);
		return mnist_fail(e, MM_ENOMEM, "cannot create a lock");
	}
	*self = p;
	return MM_OK;
}

static void unload(void *self)
{
	mnist_plugin *p = self;
	if (!p)
		return;
	const mnist_plugin host = { .api = p->api };
	pthread_mutex_destroy(&p->lock);
	mnist_release(&host, p);
}

static const mm_plugin_entry entry = {
	.magic = MM_PLUGIN_MAGIC,
	.struct_size = MM_SIZE_THROUGH(mm_plugin_entry, unload),
	.abi_major = MM_ABI_MAJOR,
	.abi_minor_built = MM_ABI_MINOR,
	.abi_minor_required = 0,
	.abi_tag = MM_ABI_TAG,
	.n_modalities = sizeof(modalities) / sizeof(modalities[0]),
	.id = "org.mmcore.mnist",
	.name = "mnist",
	.vendor = "mmcore",
	.version = PACKAGE_VERSION,
	.license = "MIT",
	.modalities = modalities,
	.load = load,
	.unload = unload,
};

const mm_plugin_entry *mm_plugin_query_1(void)
{
	return &entry;
}
