/* bf16_sets.c - takes them by the switch that users have. */
#include "mmi_build.h"

#include "bf16_sets.h"

#include "backend/cpu/device.h"
#include "backend/cpu/isa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void each_bf16_set(void (*f)(const mmi_device *d, void *ctx), void *ctx)
{
	int tried = 0;
	for (const mmi_isa *isa = mmi_isas_bf16; isa->name; isa++) {
		setenv("MMCORE_ISA", isa->name, 1);
		if (mmi_isa_get_bf16() != isa)
			continue;
		const mmi_device d = mmi_cpu_device_bf16();
		assert_ptr_equal(d.own, isa);
		f(&d, ctx);
		tried++;
	}
	unsetenv("MMCORE_ISA");
	assert_true(tried > 0);
}
