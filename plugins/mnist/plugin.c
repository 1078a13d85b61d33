/* plugin.c - the exported entry: who we are, what we offer, which host services we need. */
#include "mmi_build.h"

#include "dataset.h"
#include "mnist.h"
#include "nets.h"

static const mm_modality_desc styled_digit = {
	.struct_size = MM_SIZE_THROUGH(mm_modality_desc, get_extension),
	.id = "styled-digit",
	.default_name = "digit",
	.summary =
		"28x28 RGB views of MNIST or Fashion-MNIST on textured backgrounds, as PolyMNIST; or PolyMNIST's own folders",
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

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	void *state;
	MMA_TRY(mma_load_state(api, sizeof(mnist_plugin), &state, e));
	mnist_plugin *p = state;
	if (pthread_mutex_init(&p->lock, NULL)) {
		mma_unload(p);
		return mma_fail(e, MM_ENOMEM, "cannot create a lock");
	}
	*self = p;
	return MM_OK;
}

static void unload(void *self)
{
	mnist_plugin *p = self;
	pthread_mutex_destroy(&p->lock);
	mma_unload(p);
}

MMA_PLUGIN_WITH(load, unload, "org.mmcore.mnist", "mnist", "mmcore", PACKAGE_VERSION, "MIT", &styled_digit)
