/* amx.c - see amx.h. */
#include "mmi_build.h"

#include "backend/cpu/amx.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

bool mmi_amx_present(void)
{
	unsigned a, b, c, d;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & AMX_BF16 && d & AMX_TILE;
}

bool mmi_amx_permitted(void)
{
	return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#else
bool mmi_amx_present(void)
{
	return false;
}

bool mmi_amx_permitted(void)
{
	return false;
}
#endif
