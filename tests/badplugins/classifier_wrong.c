/* classifier_wrong.c - defect: its classifier is wrong; the setting "wrong" says how. */
#include "toy.h"

static int wrong;
static mm_modality_classifier classifier;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "size",     "build", "name",     "classes", "logits",
		                                "features", "unset", "own-text", NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "wrong", ways, 0, &wrong, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_status describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	toy_describe(i, out, e);
	if (wrong == 3)
		out->n_classes = 0;
	return MM_OK;
}

static mm_status build(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	const mm_shape rank2 = { 2, { 2, TOY_SIZE / 2 } };
	toy_classifier_build(i, g, io, e);
	switch (wrong) {
	case 4:
		io->logits = io->features;
		break;
	case 5:
		io->features = i->self->graph->reshape(g, io->x, &rank2);
		break;
	case 6:
		io->features = MM_NO_TENSOR;
		break;
	default:
		return toy_fail(e, MM_EUNSUPPORTED, "no classifier for this size");
	}
	return MM_OK;
}

static const void *extension(const char *id)
{
	if (strcmp(id, MM_MODALITY_CLASSIFIER))
		return NULL;
	classifier = toy_classifier;
	classifier.build = wrong == 1 ? NULL : build;
	if (wrong == 0)
		classifier.struct_size = MM_SIZE_THROUGH(mm_modality_classifier, features_name);
	if (wrong == 2)
		classifier.features_name = "Hidden 5";
	return &classifier;
}

TOY_PLUGIN("org.example.classifier-wrong", desc.create = create; desc.describe = describe;
           desc.get_extension = extension)
