/* null_query.c - defect: the query returns nothing. */
#include <mmcore/plugin.h>

const mm_plugin_entry *mm_plugin_query_1(void)
{
	return NULL;
}
