/* exports.c - defect: exports a second symbol, which may stand in the way of a library's of that name. */
#include "toy.h"

MM_PLUGIN_EXPORT int cJSON_Parse(void);
int cJSON_Parse(void)
{
	return 0;
}

TOY_PLUGIN("org.example.exports", (void)0)
