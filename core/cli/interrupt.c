/* interrupt.c - Ctrl-C as a wish that long work looks at between steps. */
#include "mmi_build.h"

#include "cli/interrupt.h"

#include <signal.h>
#include <string.h>

/* Global state, which only the program has (see watch.c too): a signal handler has no other way to speak. */
static volatile sig_atomic_t interrupted; /* the first signal's number; 0: none came */

static void on_signal(int number)
{
	if (!interrupted)
		interrupted = number;
}

void mmi_interrupt_install(void)
{
	static const int signals[] = { SIGINT, SIGTERM };
	struct sigaction action, before;

	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal;
	action.sa_flags = (int)(SA_RESTART | SA_RESETHAND); /* the next one finds the default action: the program ends */
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaction(signals[i], &action, NULL);
	/* A terminal that goes away may say so twice, and does not mean it the more; nohup's wish is kept. */
	action.sa_flags = SA_RESTART;
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

bool mmi_interrupted(void)
{
	return interrupted != 0;
}

int mmi_interrupt_status(void)
{
	return 128 + (interrupted ? interrupted : SIGINT);
}

void mmi_interrupt_files(void)
{
	signal(SIGXFSZ, SIG_IGN);
}
