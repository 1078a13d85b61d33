/* shape.c - shapes of samples. */
#include "mmi_build.h"

#include "engine/graph.h"

#include <stdio.h>

mm_shape mmi_shape(uint32_t rank, ...)
{
	mm_shape s = { rank, { 0 } };
	va_list ap;
	va_start(ap, rank);
	for (uint32_t i = 0; i < rank && i < MM_MAX_RANK; i++)
		s.dim[i] = va_arg(ap, int);
	va_end(ap);
	return s;
}

int64_t mmi_shape_count(const mm_shape *s)
{
	int64_t count = 1;
	for (uint32_t i = 0; i < s->rank; i++)
		count *= s->dim[i];
	return count;
}

bool mmi_shape_equal(const mm_shape *a, const mm_shape *b)
{
	if (a->rank != b->rank)
		return false;
	for (uint32_t i = 0; i < a->rank; i++)
		if (a->dim[i] != b->dim[i])
			return false;
	return true;
}

char *mmi_shape_text(const mm_shape *s, char *text)
{
	int used = sprintf(text, "[");
	for (uint32_t i = 0; i < s->rank && i < MM_MAX_RANK; i++)
		used += sprintf(text + used, "%s%d", i ? "," : "", s->dim[i]);
	sprintf(text + used, "]");
	return text;
}

static int32_t by_cells(const mmi_node *node, const mm_shape *large)
{
	const mmi_attr *a = &node->attr;
	const bool whole = a->kh == a->sh && a->ph == 0 && large->dim[0] % a->kh == 0 && large->dim[1] % a->kh == 0;
	return whole ? a->kh : 0;
}

int32_t mmi_resampled(const mmi_node *node, const mm_shape *in)
{
	switch (node->op) {
	case MMI_OP_UPSAMPLE:
	case MMI_OP_UPSAMPLE_BWD:
		return node->attr.kh;
	case MMI_OP_AVG_POOL:
		return by_cells(node, in);
	case MMI_OP_AVG_POOL_BWD:
		return by_cells(node, &node->shape);
	default:
		return 0;
	}
}
