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
CURSOR_LINE = 13  # of a cell, where its cursor begins
MOST_WRONG_DOTS = 12
# Rows of 'A' in the 8x16 font of every VGA BIOS: where it stands tells where the font begins.
LETTER_A = bytes((0, 0, 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6, 0, 0, 0, 0))
# The VGA BIOS has some letters in the form for cells of 9 dots; a Linux framebuffer console draws these.
NARROW_FORMS = {
    '0': '386cc6c6d6d6c6c66c38', 'M': 'c6eefefed6c6c6c6c6c6', 'T': '7e7e5a1818181818183c', 'V': 'c6c6c6c6c6c6c66c3810',
    'W': 'c6c6c6c6d6d6d6feee6c', 'X': 'c6c66c7c38387c6cc6c6', 'Y': '666666663c181818183c',
    'Z': 'fec6860c183060c2c6fe', 'm': '000000ecfed6d6d6d6c6', 'v': '000000c6c6c6c6c66c38',
    'w': '000000c6c6d6d6d6fe6c', 'x': '000000c66c3838386cc6',
}


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
            for char, rows in NARROW_FORMS.items():
                glyphs.setdefault(bytes(2) + bytes.fromhex(rows) + bytes(4), char)
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
    return _nearest(rows, colours, glyphs)


def _distance(cell, glyph):
    """Dots in which two bitmaps differ, where the one may stand a column aside."""
    moved = int.from_bytes(bytes(row >> 1 for row in cell), 'big')
    cell, glyph = int.from_bytes(cell, 'big'), int.from_bytes(glyph, 'big')
    return min((cell ^ glyph).bit_count(), (moved ^ glyph).bit_count() + 1,
               (cell ^ glyph >> 1).bit_count() + 1)


def _nearest(rows, colours, glyphs):
    """The character that a cell resembles: the kernel's own 8x16 font draws a few letters by some dots
    differently, and a cursor covers a cell's last lines."""
    for lines, most in ((CELL_HEIGHT, MOST_WRONG_DOTS), (CURSOR_LINE, MOST_WRONG_DOTS // 4)):
        wrong, char = min(((_distance(_glyph(rows[:lines], ink), glyph[:lines]), char)
                           for ink in colours for glyph, char in glyphs.items()),
                          key=lambda pair: pair[0])
        if wrong <= most:
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
