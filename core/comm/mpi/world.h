/* world.h - the ranks of MPI as a comm: what its files share.
 *
 * Every wait is a loop that asks MPI and looks at the clock, so a rank that does not answer ends a run instead of
 * hanging it. Only the thread that trains calls MPI. */
#ifndef MMI_MPI_WORLD_H
#define MMI_MPI_WORLD_H

#include "engine/comm.h"

#include <mpi.h>

enum { MMI_WORDS = MM_ERROR_TEXT };

typedef struct mmi_world {
	MPI_Comm data, control; /* what is exchanged; what a rank gives up with */
	MPI_Request ear;        /* waits for that */
	char heard[MMI_WORDS], said[MMI_WORDS];
	bool broken;    /* nothing is moved any more */
	mm_status code; /* then, with why: MM_ECANCELLED when another rank said so */
	char why[MMI_WORDS];
	bool first_silent; /* what broke it: the first rank, which would otherwise end the run */
	bool told;         /* of a rank that does not answer while the program is to end */
	uint64_t sent;
	float *room[2]; /* floats of a device, on their way out and in */
	size_t room_size[2];
	bool (*interrupted)(void);
	const mmi_log *log;
} mmi_world;

static inline mmi_world *mmi_world_of(const mmi_comm *c)
{
	return c->own;
}

/* Posts, and then waits for, what the first failure or `whose` silence ends. */
typedef struct mmi_post {
	MPI_Request request[2 * MMI_MAX_RANKS];
	int whose[2 * MMI_MAX_RANKS]; /* the other rank */
	int n;
} mmi_post;

void mmi_post_send(const mmi_comm *c, mmi_post *p, const void *x, size_t bytes, uint32_t to);
void mmi_post_receive(const mmi_comm *c, mmi_post *p, void *x, size_t bytes, uint32_t from);
/* False when it is broken. */
bool mmi_post_wait(const mmi_comm *c, mmi_post *p);

/* Of a call of MPI: false when it failed, and it is broken. */
bool mmi_mpi_ok(const mmi_comm *c, int result);
/* The first time: remembers why, and tells the other ranks unless they know. */
void mmi_world_break(const mmi_comm *c, mm_status code, const char *why);
mm_status mmi_world_listen(const mmi_comm *c);
double mmi_world_seconds(void);

/* move.c */
void mmi_mpi_gather(const mmi_comm *c, const void *part, size_t bytes, void *all);
void mmi_mpi_broadcast(const mmi_comm *c, void *x, size_t bytes, uint32_t from);
void mmi_mpi_swap(const mmi_comm *c, const mmi_device *d, uint32_t with, mmi_floats out, size_t n_out, mmi_floats in,
                  size_t n_in);

#endif
