/* move.c - bytes and floats from rank to rank. */
#include "mmi_build.h"

#include "comm/mpi/world.h"

#include <string.h>

enum { TAG = 1, PIECE = 1 << 28 /* bytes of one message, at most: MPI counts in int */ };

void mmi_post_send(const mmi_comm *c, mmi_post *p, const void *x, size_t bytes, uint32_t to)
{
	mmi_world *w = mmi_world_of(c);
	p->whose[p->n] = (int)to;
	if (!w->broken && mmi_mpi_ok(c, MPI_Isend(x, (int)bytes, MPI_BYTE, (int)to, TAG, w->data, &p->request[p->n]))) {
		w->sent += bytes;
		p->n++;
	}
}

void mmi_post_receive(const mmi_comm *c, mmi_post *p, void *x, size_t bytes, uint32_t from)
{
	mmi_world *w = mmi_world_of(c);
	p->whose[p->n] = (int)from;
	if (!w->broken && mmi_mpi_ok(c, MPI_Irecv(x, (int)bytes, MPI_BYTE, (int)from, TAG, w->data, &p->request[p->n])))
		p->n++;
}

/* Calls for pieces of so many bytes until one fails. */
static size_t piece_at(size_t at, size_t bytes)
{
	return bytes <= at ? 0 : bytes - at < PIECE ? bytes - at : PIECE;
}

static void exchange(const mmi_comm *c, const char *part, char *all, size_t bytes, size_t at)
{
	mmi_post p = { .n = 0 };
	for (uint32_t r = 0; r < c->size; r++)
		if (r != c->rank)
			mmi_post_receive(c, &p, all + r * bytes + at, piece_at(at, bytes), r);
	for (uint32_t r = 0; r < c->size; r++)
		if (r != c->rank)
			mmi_post_send(c, &p, part + at, piece_at(at, bytes), r);
	mmi_post_wait(c, &p);
}

void mmi_mpi_gather(const mmi_comm *c, const void *part, size_t bytes, void *all)
{
	char *own = (char *)all + c->rank * bytes;
	if (own != part && bytes)
		memcpy(own, part, bytes);
	for (size_t at = 0; at < bytes && !mmi_world_of(c)->broken; at += PIECE)
		exchange(c, part, all, bytes, at);
}

static void spread(const mmi_comm *c, char *x, size_t bytes, uint32_t from)
{
	mmi_post p = { .n = 0 };
	if (c->rank != from)
		mmi_post_receive(c, &p, x, bytes, from);
	for (uint32_t r = 0; r < c->size && c->rank == from; r++)
		if (r != from)
			mmi_post_send(c, &p, x, bytes, r);
	mmi_post_wait(c, &p);
}

void mmi_mpi_broadcast(const mmi_comm *c, void *x, size_t bytes, uint32_t from)
{
	for (size_t at = 0; at < bytes && !mmi_world_of(c)->broken; at += PIECE)
		spread(c, (char *)x + at, piece_at(at, bytes), from);
}

/* ------------------------------------------------------------ floats of a device */

/* Where they are on the host; NULL when out of memory, and it is broken. */
static float *host_of(const mmi_comm *c, const mmi_device *d, mmi_floats x, size_t n, int way)
{
	mmi_world *w = mmi_world_of(c);
	if (d->ops->direct)
		return x.at;
	if (w->room_size[way] < n) {
		mmi_free(w->room[way]);
		w->room[way] = mmi_alloc(n, sizeof *w->room[way]);
		w->room_size[way] = w->room[way] ? n : 0;
	}
	if (!w->room[way])
		mmi_world_break(c, MM_ENOMEM, "out of memory for a gradient on its way");
	return w->room[way];
}

void mmi_mpi_swap(const mmi_comm *c, const mmi_device *d, uint32_t with, mmi_floats out, size_t n_out, mmi_floats in,
                  size_t n_in)
{
	float *to = n_out ? host_of(c, d, out, n_out, 0) : NULL, *from = n_in ? host_of(c, d, in, n_in, 1) : NULL;
	if (to && !d->ops->direct) {
		d->ops->download(d, to, out.at, n_out * sizeof *to);
		d->ops->wait(d, NULL);
	}
	for (size_t at = 0; at < n_out * sizeof *to || at < n_in * sizeof *from; at += PIECE) {
		mmi_post p = { .n = 0 };
		if (piece_at(at, n_in * sizeof *from))
			mmi_post_receive(c, &p, (char *)from + at, piece_at(at, n_in * sizeof *from), with);
		if (piece_at(at, n_out * sizeof *to))
			mmi_post_send(c, &p, (char *)to + at, piece_at(at, n_out * sizeof *to), with);
		if (!mmi_post_wait(c, &p))
			return;
	}
	if (from && !d->ops->direct)
		d->ops->upload(d, in.at, from, n_in * sizeof *from);
}
