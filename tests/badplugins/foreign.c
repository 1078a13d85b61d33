/* foreign.c - defect: no plugin itself, but it depends on one, whose symbol the linker would hand out for its own. */
#include <mmcore/plugin.h>
#include <stddef.h>

int foreign_function(void);
int foreign_function(void)
{
	return mm_plugin_query_1() != NULL;
}
