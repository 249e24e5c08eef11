# SPDX-License-Identifier: GPL-3.0-or-later
#
# Reads the text off a picture of a guest's screen. A text screen is read exactly, cell by cell,
# by comparing each with the VGA BIOS's own 8x16 font; anything else goes through tesseract.
"""Text from screenshots."""

import functools
import subprocess
import sys
from pathlib import Path

import gi
gi.require_version('GdkPixbuf', '2.0')
from gi.repository import GdkPixbuf  # noqa: E402

FONT_FILES = ('/usr/share/seabios/vgabios-stdvga.bin', '/usr/share/seabios/vgabios-isavga.bin')
CELL_HEIGHT = 16
# Rows of 'A' in the 8x16 font of every VGA BIOS: where it stands tells where the font begins.
LETTER_A = bytes((0, 0, 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6, 0, 0, 0, 0))


@functools.lru_cache(maxsize=1)
def font():
    """Glyph bitmap -> character, from the VGA BIOS package; {} where there is none."""
    for name in FONT_FILES:
        path = Path(name)
        data = path.read_bytes() if path.exists() else b''
        start = data.find(LETTER_A) - 0x41 * CELL_HEIGHT
        if start >= 0:
            table = data[start:start + 256 * CELL_HEIGHT]
            codes = [0x20, *range(0x21, 0x7f), *range(1, 0x20), *range(0x80, 0x100)]
            glyphs = {}
            for code in codes:
                glyph = table[code * CELL_HEIGHT:(code + 1) * CELL_HEIGHT]
                glyphs.setdefault(glyph, bytes([code]).decode('cp437'))
            return glyphs
    return {}


class Picture:
    """An RGB picture."""

    def __init__(self, path):
        pixbuf = GdkPixbuf.Pixbuf.new_from_file(str(path))
        self.width, self.height = pixbuf.get_width(), pixbuf.get_height()
        self.stride, self.channels = pixbuf.get_rowstride(), pixbuf.get_n_channels()
        self.data = pixbuf.get_pixels()

    def row(self, x, y, width):
        """`width` pixels as a tuple of RGB triples."""
        at = y * self.stride + x * self.channels
        line = self.data[at:at + width * self.channels]
        step = self.channels
        return [line[i:i + 3] for i in range(0, len(line), step)]

    def colours(self, x, y, width, height):
        """The set of colours in a rectangle."""
        return {pixel for line in range(y, y + height) for pixel in self.row(x, line, width)}


def _glyph(rows, ink):
    value = bytearray()
    for row in rows:
        bits = 0
        for pixel in row:
            bits = bits << 1 | (pixel == ink)
        value.append(bits)
    return bytes(value)


def _cell(picture, x, y, glyphs):
    """The character in a cell, or None where it is none of the font's."""
    rows = [picture.row(x, y + line, 8) for line in range(CELL_HEIGHT)]
    colours = {pixel for row in rows for pixel in row}
    if len(colours) == 1:
        return ' '
    if len(colours) > 2:
        return None
    for ink in colours:
        char = glyphs.get(_glyph(rows, ink))
        if char is not None:
            return char
    # The cursor covers the last lines of a cell: compare what is above them.
    for ink in colours:
        top = _glyph(rows[:13], ink)
        for glyph, char in glyphs.items():
            if glyph[:13] == top:
                return char
    return None


def _read_cells(picture, width):
    """The lines of a text screen with cells of `width` pixels, and the share of letters known."""
    glyphs = font()
    lines = []
    known = total = 0
    for y in range(0, picture.height - CELL_HEIGHT + 1, CELL_HEIGHT):
        cells = [_cell(picture, x, y, glyphs) for x in range(0, picture.width - width + 1, width)]
        total += sum(cell != ' ' for cell in cells)
        known += sum(cell not in (None, ' ') for cell in cells)
        lines.append(''.join(cell or '\ufffd' for cell in cells).rstrip())
    return '\n'.join(lines), known / total if total else 1.0


def _read_by_tesseract(path):
    enlarged = subprocess.run(['convert', str(path), '-colorspace', 'Gray', '-resize', '300%', 'png:-'],
                              capture_output=True, check=False)
    result = subprocess.run(['tesseract', '-', '-', '--psm', '6'], input=enlarged.stdout,
                            capture_output=True, check=False)
    return result.stdout.decode(errors='replace')


def read_text(path):
    """All text on the screen, line by line."""
    picture = Picture(path)
    width = 9 if picture.width in (720, 1188) else 8
    if font() and picture.height % CELL_HEIGHT == 0:
        text, share = _read_cells(picture, width)
        if share > 0.9:
            return text
    return _read_by_tesseract(path)


if __name__ == '__main__':
    for argument in sys.argv[1:]:
        print(read_text(argument))
