/* cmd_bench.c */
#include "config.h"
#include "cli/cli.h"
int mmi_cmd_bench(const mmi_cli *cli, int argc, char **argv)
{
	(void)cli,(void)argc,(void)argv;
	return 1;
}
