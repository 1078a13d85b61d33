/* json_lines.c - for the shell tests: standard input, which must be one JSON document and nothing else, as a line a
 * value: "made[0].text = a red bird". Keys in the order of the document; an empty list or object is one line. */
#include "mmi_build.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_leaf(const cJSON *x)
{
	if (cJSON_IsString(x))
		printf("%s\n", x->valuestring);
	else if (cJSON_IsNumber(x))
		printf("%.17g\n", x->valuedouble);
	else
		printf("%s\n", cJSON_IsTrue(x)     ? "true"
		               : cJSON_IsFalse(x)  ? "false"
		               : cJSON_IsArray(x)  ? "[]"
		               : cJSON_IsObject(x) ? "{}"
		                                   : "null");
}

static void print(const cJSON *x, const char *path)
{
	char deeper[4096];
	int i = 0;
	if (!x->child) {
		printf("%s = ", path);
		print_leaf(x);
		return;
	}
	for (const cJSON *c = x->child; c; c = c->next, i++) {
		if (cJSON_IsArray(x))
			snprintf(deeper, sizeof deeper, "%.4000s[%d]", path, i);
		else
			snprintf(deeper, sizeof deeper, "%.3000s%s%.1000s", path, *path ? "." : "", c->string);
		print(c, deeper);
	}
}

int main(void)
{
	static char text[16 << 20];
	size_t bytes = fread(text, 1, sizeof text - 1, stdin);
	cJSON *root = cJSON_ParseWithLengthOpts(text, bytes + 1, NULL, true);
	if (!root || !cJSON_IsObject(root)) {
		fprintf(stderr, "not one JSON object\n");
		return EXIT_FAILURE;
	}
	print(root, "");
	cJSON_Delete(root);
	return EXIT_SUCCESS;
}
