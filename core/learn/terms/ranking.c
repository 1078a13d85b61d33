/* ranking.c - the ranking loss and its gradient. */
#include "mmi_build.h"

#include "learn/terms/ranking.h"

mm_status mmi_ranking_create(const mmi_model *m, uint32_t rows, size_t d, mmi_ranking *out, mm_error *e)
{
	mmi_ranking r = { .n = m->n_modalities, .d = d };
	r.room.at = m->device->ops->alloc(m->device, mmi_rank_room(r.n, rows, d) * sizeof(double));
	bool ok = r.room.at;
	for (uint32_t i = 0; i < r.n; i++)
		ok = (r.grad.x[i] = mmi_floats_alloc(m->device, rows * d)).at && ok;
	if (!ok) {
		mmi_ranking_clear(m, &r);
		return mmi_fail(e, MM_ENOMEM, "out of memory for a ranking of %u tuples", rows);
	}
	*out = r;
	return MM_OK;
}

void mmi_ranking_clear(const mmi_model *m, mmi_ranking *r)
{
	mmi_device_rows_clear(m, &r->grad);
	m->device->ops->release(m->device, r->room.at);
	*r = (mmi_ranking){ .n = 0 };
}

void mmi_ranking_make(mmi_ranking *r, const mmi_device *d, const mmi_floats *unit, const mmi_floats *there,
                      uint32_t rows, mmi_floats scale, mmi_doubles told)
{
	mmi_rank a = { .n = r->n, .rows = rows, .dim = r->d, .scale = scale, .room = r->room, .told = told };
	for (uint32_t m = 0; m < r->n; m++) {
		a.unit[m] = unit[m];
		a.has[m].at = there ? there[m].at : NULL;
		a.grad[m] = r->grad.x[m];
	}
	d->rows->rank(d, &a);
}
