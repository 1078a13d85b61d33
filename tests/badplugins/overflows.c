/* overflows.c - defect: the branch named by the setting "wrong" gives numbers that are not finite, whatever its
 * parameters. */
#include "toy.h"

static int wrong;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "decoder", "encoder", "features", NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "wrong", ways, 0, &wrong, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_tensor overflow(mm_instance *i, mm_graph *g, mm_tensor x)
{
	return i->self->graph->activation(g, i->self->graph->affine(g, x, 1, 1e4f), MM_ACT_EXP, 0);
}

static mm_status encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	mm_status status = toy_encoder(i, g, io, e);
	if (wrong == 1)
		io->z_loc = overflow(i, g, io->z_loc);
	return status;
}

static mm_status decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	mm_status status = toy_decoder(i, g, io, e);
	if (wrong == 0)
		io->out = overflow(i, g, io->out);
	return status;
}

static mm_status features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	mm_status status = toy_features(i, g, io, e);
	if (wrong == 2)
		io->features = overflow(i, g, io->features);
	return status;
}

TOY_PLUGIN("org.example.overflows", desc.create = create; desc.build_encoder = encoder; desc.build_decoder = decoder;
           desc.build_features = features)
