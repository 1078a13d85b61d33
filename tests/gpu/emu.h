/* emu.h - what the emulated device offers beyond CUDA, where the tests run on a card: nothing that could be ordered or
 * counted. It takes the place of tests/cuda/emu/emu.h. */
#ifndef EMU_H
#define EMU_H

#define EMULATED 0

static inline void emu_set_order(unsigned order)
{
	(void)order;
}

#endif
