/* crc32.h - the CRC-32 of zlib, gzip and PNG, as fast as the processor has it. */
#ifndef MMI_CRC32_H
#define MMI_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on with crc, 0 at first, as zlib's crc32 does. */
uint32_t mmi_crc32(uint32_t crc, const void *data, size_t bytes);

#endif
