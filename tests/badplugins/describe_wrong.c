/* describe_wrong.c - defect: describes itself wrongly; the setting "wrong" says how. */
#include "toy.h"

static int wrong;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "dim",         "overflow", "rank",   "support", "bounds",
		                                "likelihood",  "scale",    "weight", "simplex", "bernoulli",
		                                "categorical", "status",   NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "wrong", ways, 0, &wrong, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_status describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	toy_describe(i, out, e);
	switch (wrong) {
	case 0:
		out->shape.dim[0] = -8;
		break;
	case 1:
		out->shape = (mm_shape){ 4, { 65536, 65536, 65536, 65536 } };
		break;
	case 2:
		out->shape.rank = 5;
		break;
	case 3:
		out->support = 9;
		break;
	case 4:
		out->lo = 2;
		break;
	case 5:
		out->likelihood = 9;
		break;
	case 6:
		out->likelihood_scale = 0;
		break;
	case 7:
		out->likelihood_weight = 0;
		break;
	case 8:
		out->support = MM_SUPPORT_SIMPLEX;
		out->shape.rank = 0;
		break;
	case 9:
		out->likelihood = MM_LIKELIHOOD_BERNOULLI;
		break;
	case 10:
		out->likelihood = MM_LIKELIHOOD_CATEGORICAL;
		break;
	default:
		return toy_fail(e, MM_EFORMAT, "the header is damaged");
	}
	return MM_OK;
}

TOY_PLUGIN("org.example.describe-wrong", desc.create = create; desc.describe = describe)
