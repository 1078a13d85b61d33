/* rivals.c - which kernel_rig calls are one product of matrices. */
#include "mmi_build.h"

#include "rivals.h"

bool rival_product_of(const rig *r, rival_product *p)
{
	const rig_case *c = &r->c;
	if (c->k != 1 || c->s != 1 || c->p != 0)
		return false;
	const int rows = (int)c->n * c->h * c->w, ci = c->ci, co = c->co;
	switch (c->op) {
	case MMI_OP_LINEAR:
	case MMI_OP_CONV:
		*p = (rival_product){ false, false, rows, co, ci, ci, co, r->in[0], r->in[1] };
		return true;
	case MMI_OP_LINEAR_BWD_X:
	case MMI_OP_CONV_BWD_X:
		*p = (rival_product){ false, true, rows, ci, co, co, co, r->in[0], r->in[1] };
		return true;
	case MMI_OP_LINEAR_BWD_W:
	case MMI_OP_CONV_BWD_W:
		*p = (rival_product){ true, false, ci, co, rows, ci, co, r->in[0], r->in[1] };
		return true;
	default:
		return false;
	}
}
