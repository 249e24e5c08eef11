/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * REM: the recompiler. Guest code of all modes is translated to host code in blocks; what is not
 * translated is executed by IEM, one instruction at a time, from within the block. */
#pragma once

#include "vmm/em/engine.h"

extern const EmEngine rem_engine;
