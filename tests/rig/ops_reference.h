/* ops_reference.h - reads tests/reference/ops.bin and its like, the values PyTorch gave (format: make_ops.py). */
#ifndef MMI_TEST_OPS_REFERENCE_H
#define MMI_TEST_OPS_REFERENCE_H

#include "base/base.h"

enum { REFERENCE_MAX_RANK = 6 };

typedef struct reference_record {
	char name[128];
	uint32_t rank;
	int64_t dim[REFERENCE_MAX_RANK]; /* the batch is the first */
	int64_t count;
	double *values;
} reference_record;

typedef struct reference {
	reference_record *records;
	size_t n;
} reference;

/* False, and a line of explanation on stdout, when the file is missing or damaged. */
bool reference_open(reference *r);
/* The same of another file in tests/reference. */
bool reference_open_file(reference *r, const char *name);
void reference_close(reference *r);
/* The record of that name (printf style), or NULL. */
const reference_record *reference_find(const reference *r, const char *format, ...) MMI_PRINTF(2, 3);

#endif
