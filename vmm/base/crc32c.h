/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), with the host's instruction where it has one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Goes on from crc; start with 0. */
uint32_t base_crc32c(uint32_t crc, const void *data, size_t size);
