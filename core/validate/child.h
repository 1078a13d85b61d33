/* child.h - work in a child process that may crash or hang, and memory whose ends are watched. */
#ifndef MMI_CHILD_H
#define MMI_CHILD_H

#include "base/base.h"

#include <stdatomic.h>

/* Zeros that this process and its children share; NULL: no memory. */
void *mmi_shared_alloc(size_t bytes);
void mmi_shared_free(void *block, size_t bytes);

typedef struct mmi_child_end {
	int signal;  /* 0: none */
	int status;  /* of exit */
	bool hung;   /* it was stopped for lasting too long */
	bool failed; /* there was no child */
} mmi_child_end;

/* Runs work(ctx) in a child and waits. The child's standard output goes to the file `out`, its standard error to `err`
 * (both NULL: to nowhere). `limit`: seconds until it is killed; with `ready` only until that is set. The child ends
 * with status MMI_CHILD_DONE when work returns. */
enum { MMI_CHILD_DONE = 88 };
mmi_child_end mmi_child_run(void (*work)(void *ctx), void *ctx, const char *out, const char *err, double limit,
                            const atomic_bool *ready);
/* True when there was no child, and why, into text of MM_ERROR_TEXT bytes. */
bool mmi_child_missing(const mmi_child_end *end, char *text);
/* "signal 11 (Segmentation fault)", or the like, into text of MM_ERROR_TEXT bytes; true when it did not end well. */
bool mmi_child_crashed(const mmi_child_end *end, double limit, char *text);

/* A block between two pages that cannot be touched, its end against the second; filled by mmi_contract_poison, and what
 * is before it with a pattern. */
typedef struct mmi_guarded {
	unsigned char *at;
	size_t bytes;
	unsigned char *map;
	size_t map_bytes;
	const char *name; /* for messages */
} mmi_guarded;

mm_status mmi_guarded_create(const char *name, size_t bytes, mmi_guarded *out, mm_error *e);
void mmi_guarded_free(mmi_guarded *g);
/* MM_EABI when what is before the block was written to. */
mm_status mmi_guarded_check(const mmi_guarded *g, mm_error *e);
/* Where an address lies: bytes behind the block's end (1: the first), or before its start as a negative number; 0: not
 * in the pages around it. */
long mmi_guarded_off(const mmi_guarded *g, const void *address);

#endif
