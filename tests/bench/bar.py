# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a figure that misses its bar means. The short run shows that a benchmark works, on hosts that do
# other things meanwhile; only the long one, on a quiet host, judges.
"""Bars of benchmarks."""

import os


def verdict(holds):
    """The exit code of a benchmark whose bar holds or not."""
    if holds:
        return 0
    judged = bool(os.environ.get('VITRINE_LONG'))
    print('The bar is missed.' + ('' if judged else ' (Judged with --long only.)'))
    return 1 if judged else 0
