/* slurm.c - a script for sbatch. */
#include "mmi_build.h"

#include "cli/slurm.h"

#include <string.h>
#include <unistd.h>

/* As one word of a shell. */
static void put_word(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	fputc('\'', out);
}

/* argv[0] is the command's name. */
static void put_command(FILE *out, int argc, char **argv)
{
	fputs("mmcore ablate", out);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--slurm")) {
			fputc(' ', out);
			put_word(out, argv[i]);
		}
}

void mmi_slurm_print(FILE *out, const mmi_ablation *a, int argc, char **argv)
{
	const size_t n = a->points.n;
	char folder[4096];
	fprintf(out, "#!/bin/sh\n#SBATCH --job-name=mmcore-ablate\n#SBATCH --array=0-%zu\n#SBATCH --cpus-per-task=%u\n",
	        n - 1, a->processors);
	fputs("# A task a run; more options of sbatch (--time, --partition, --array=0-9%4) on its command line.\n"
	      "# The tables, when all tasks are over:\n# ",
	      out);
	put_command(out, argc, argv);
	fputc('\n', out);
	if (getcwd(folder, sizeof folder)) {
		fputs("cd ", out);
		put_word(out, folder);
		fputs(" || exit 1\n", out);
	}
	fputs("exec ", out);
	put_command(out, argc, argv);
	fprintf(out, " --part \"$SLURM_ARRAY_TASK_ID/%zu\"\n", n);
}
