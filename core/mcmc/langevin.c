/* langevin.c - the Langevin chain: a program and the device's steps, in turns. */
#include "mmi_build.h"

#include "mcmc/langevin.h"

static mmi_chain_rows bind(const mmi_chain *c, mmi_program *program, const mmi_chain_rows *rows)
{
	mmi_chain_rows r = *rows;
	r.energy = mmi_program_data(program, c->energy);
	for (uint32_t i = 0; i < c->n_states; i++) {
		mmi_program_bind(program, c->state[i], r.state[i]);
		r.grad[i] = mmi_program_data(program, c->grad[i]);
	}
	return r;
}

void mmi_chain_run(const mmi_chain *c, mmi_program *program, const mmi_chain_rows *rows, mmi_chain_watch *watch,
                   void *ctx)
{
	const mmi_device *d = mmi_program_device(program);
	const mmi_chain_rows r = bind(c, program, rows);
	d->ops->zero(d, r.sums.at, sizeof *r.sums.at);
	for (uint32_t step = 0; step < c->steps; step++) {
		mmi_program_run(program);
		if (step == 0)
			d->rows->chain_start(d, c, &r);
		if (watch)
			watch(ctx, step, program);
		d->rows->chain_move(d, c, &r, step);
	}
	if (watch) {
		mmi_program_run(program);
		watch(ctx, c->steps, program);
	}
	d->rows->chain_end(d, c, &r);
}

void mmi_chain_stats_add(mmi_chain_stats *sum, const mmi_chain_stats *part)
{
	sum->energy += part->energy;
	sum->grad2 += part->grad2;
	sum->drift2 += part->drift2;
	sum->noise2 += part->noise2;
	sum->move2 += part->move2;
	sum->elements += part->elements;
}
