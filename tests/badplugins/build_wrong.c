/* build_wrong.c - defect: its branches are wrong; the setting "wrong" says how. */
#include "toy.h"

static int wrong;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "shape", "unset", "unknown", "own-text", "fail", "tensor", "silent", NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "wrong", ways, 0, &wrong, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_status encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mm_host_graph *ops = i->self->graph;
	toy_encoder(i, g, io, e);
	switch (wrong) {
	case 0:
		io->z_raw = ops->linear(g, io->x, "wide", io->latent_dim + 1, 1, MM_INIT_DEFAULT);
		break;
	case 1:
		io->z_loc = MM_NO_TENSOR;
		break;
	case 2:
		io->z_loc = 100000;
		break;
	case 3:
		return toy_fail(e, MM_EUNSUPPORTED, "this net needs a latent_dim of 512");
	case 4:
		ops->fail(g, MM_EUNSUPPORTED, "the picture is too small for four blocks");
		break;
	case 5:
		io->z_loc = ops->add(g, io->x, 12345);
		break;
	default:
		return MM_ENOMEM;
	}
	return MM_OK;
}

static mm_status decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	toy_decoder(i, g, io, e);
	io->out = i->self->graph->slice(g, io->out, 0, 0, TOY_SIZE - 1);
	return MM_OK;
}

static mm_status features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	const mm_shape rank2 = { 2, { 2, TOY_SIZE / 2 } };
	(void)e;
	io->features = i->self->graph->reshape(g, io->x, &rank2);
	return MM_OK;
}

TOY_PLUGIN("org.example.build-wrong", desc.create = create; desc.build_encoder = encoder; desc.build_decoder = decoder;
           desc.build_features = features)
