"""A secret as somebody may write it who means it to be read by a person, not found by a search.

``secret_forms`` knows how gateways, logs and pages write one. Here are the views of a text in which other
writings show: squeezed to its letters and digits (separators, line ends, invisible marks, case and width are
nothing), its runs of base64 or hex decoded, unpacked where they are gzip or zlib, and the pieces of a stream
joined. What is ciphered otherwise is not known.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import hashlib
import lzma
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

LEAST = 12
"""Characters of a writing's beginning or end, squeezed, that tell it: fewer would be words."""
KNOWN = 8
"""Characters of the secret that these stand for at least."""
SEPARATORS = bytes(code for code in range(256) if not chr(code).isascii() or not chr(code).isalnum())
RUN = re.compile(r"[A-Za-z0-9+/_-]{24,}")
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
CODE = re.compile(
    r"(?<!\\)\\+(?:(?:[xX]\{?|[uU]\{?|0{4})0*([0-9a-fA-F]{2})\}?|([0-7]{3}))"
    r"|&(?:amp;)*#0*([0-9]{2,3});?|&(?:amp;)*#[xX]0*([0-9a-fA-F]{2});?|%(?:25)*(?:u00)?([0-9a-fA-F]{2})|=([0-9A-F]{2})"
)
"""A character by its number: in C, HTML, JSON, JavaScript, Python, URLs and mail, also escaped again."""
ONE = re.sub(r"[(](?=\[)", "(?:", CODE.pattern)
CODES = re.compile(f"(?:{ONE})(?:{ONE}){{7,}}")
IN_JSON = re.compile(
    r"(?<!\\)\\+(?:u([dD][89abAB][0-9a-fA-F]{2})\\+u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|[nrtbf])"
)
TOKEN = re.compile(f"{IN_JSON.pattern}|.", re.DOTALL)
LOOKALIKES = str.maketrans("аеорсухкіјѕԁһԛԝοαυνι", "aeopcyxkijsdhqwoauvi")
INVISIBLE = {
    **{0xE0000 + code: chr(code) for code in range(32, 127)},  # tags
    **{0xFE00 + byte: chr(byte) for byte in range(16)},  # selectors of variants: a byte each
    **{0xE0100 + byte - 16: chr(byte) for byte in range(16, 256)},
}
"""Marks that nobody sees, each of which can stand for a letter."""
SEEN = LOOKALIKES | INVISIBLE
BEYOND = re.compile("[^\x00-\xff]+")
PIECE = re.compile(
    r'(?:content|arguments|text|reasoning|thinking|response|refusal|name|id|token|delta)\\*"\s*:\s*\\*+"'
    r'((?:[^"\\\n]++|\\++(?!"))*+)\\*+"'
)
"""What a delta brings, also where its JSON stands in JSON. Nothing is tried twice: a text of backslashes
alone took seconds."""
DIVIDES = {
    ("<",): r"<[/!]?[a-zA-Z][^<>\\\n]{0,60}?>",
    ("&lt;",): r"&lt;[/!]?[a-zA-Z][^<>\\\n]{0,60}?&gt;",
    ("u003c", "u003C"): r"\\+u003[cC][/!]?[a-zA-Z][^<>\\\n]{0,60}?\\+u003[eE]",
    ("\x1b[",): r"\x1b\[[0-9;?]*[a-zA-Z]",
    ("1b[", "1B["): r"\\+(?:u00|x)1[bB]\[[0-9;?]*[a-zA-Z]",
}
"""What a text has that holds them -> colours of a terminal, and tags: what stands between letters and is not
shown."""
BETWEEN = re.compile("|".join(DIVIDES.values()))
EACH = [(marks, re.compile(pattern)) for marks, pattern in DIVIDES.items()]
AROUND = 80
"""Characters beside them that belong to what they divide."""
WITHOUT = re.compile(f"{BETWEEN.pattern}|{TOKEN.pattern}", re.DOTALL)
UNPACK: dict[bytes, Callable[[bytes], bytes]] = {
    **dict.fromkeys((b"\x1f\x8b", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"), lambda data: inflated(data)),
    b"BZ": lambda data: bz2.BZ2Decompressor().decompress(data, MOST_UNPACKED),
    b"\xfd7": lambda data: lzma.LZMADecompressor(memlimit=MOST_MEMORY).decompress(data, MOST_UNPACKED),
}
"""How what is packed begins, and what reads it."""
MOST_MEMORY = 32 << 20
MOST_UNPACKED = 65536
DEPTH = 3
"""So often is one writing within another."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Writing:
    """text: squeezed; head, tail: what tells it."""

    text: bytes
    head: bytes
    tail: bytes


def writings_of(secret: str) -> tuple[Writing, ...]:
    """All that are searched for in a squeezed text. Empty for a secret of words alone: it is no more than
    ``secret_forms`` makes of it."""
    raw = secret.encode()
    texts = [secret, secret[::-1], codecs.encode(secret, "rot13")] if secret.isascii() else []
    texts += [raw.hex(), "".join(map(str, raw)), "".join(map(hex, raw)), raw.hex()[::-1]]
    for number in ("u{:04x}", "chr{}", "{:o}", "{:08b}"):  # U+0073, chr(115), 163, 01110011
        texts.append("".join(number.format(byte) for byte in raw))
    texts += [_base58(raw), *(hashlib.new(name, raw).hexdigest() for name in ("md5", "sha1", "sha512"))]
    cores = [_core(raw, before, 6, base64.b64encode) for before in range(3)]
    texts += [*cores, *(core[::-1] for core in cores), _turned(secret)]
    texts += [_core(raw, before, 5, base64.b32encode) for before in range(5)]
    for encode in (base64.b85encode, base64.a85encode):
        for before in range(4):
            part = raw[before : before + (len(raw) - before) // 4 * 4]
            texts.append(encode(part).decode())
    found = {}
    for text in texts:
        squeezed = squeeze(text)
        least = max(LEAST, -(-len(squeezed) * KNOWN // max(1, len(raw))))
        if len(squeezed) >= 2 * LEAST or (len(squeezed) >= LEAST and any(48 <= one < 58 for one in squeezed)):
            least = min(least, len(squeezed))
            found[squeezed] = Writing(squeezed, squeezed[:least], squeezed[-least:])
    return tuple(found.values())


def inflated(data: bytes) -> bytes:
    """What gzip or zlib packed, up to ``MOST_UNPACKED``. Raises zlib.error."""
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, MOST_UNPACKED)


def _turned(secret: str) -> str:
    """ROT47."""
    return "".join(chr(33 + (ord(one) + 14) % 94) if "!" <= one <= "~" else one for one in secret)


def _base58(raw: bytes) -> str:
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, len(BASE58))
        text = BASE58[digit] + text
    return text


def _core(raw: bytes, before: int, bits: int, encode: Callable[[bytes], bytes]) -> str:
    """The characters of a base that no neighbour has a bit of. before: bytes of its group in front of it;
    bits: of a character."""
    encoded = encode(b"\0" * before + raw).decode()
    return encoded[-(-8 * before // bits) : 8 * (before + len(raw)) // bits]


def squeeze(text: str) -> bytes:
    """Its ASCII letters and digits, in lower case; wide ones are plain, and JSON's escapes are undone."""
    if "\\" in text:
        text = IN_JSON.sub(_undone, text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", _plainer(text))
    return text.encode("ascii", "ignore").translate(None, SEPARATORS).lower()


def _plainer(text: str) -> str:
    """Without look-alikes and invisible marks: none is one of the first 256 characters, which are all that
    decoded bytes have."""
    return BEYOND.sub(lambda match: match[0].translate(SEEN), text)


def _undone(match: re.Match[str]) -> str:
    if match[1]:
        return chr(0x10000 + ((int(match[1], 16) & 0x3FF) << 10) + (int(match[2], 16) & 0x3FF))
    return chr(int(match[3], 16)) if match[3] else ""


def views_of(text: str) -> bytes:
    """All views of a text, squeezed, a line each: what ``written`` searches for any number of secrets."""
    views = [squeeze(text), *_inner(text, DEPTH)]
    views += [squeeze(BETWEEN.sub("", part)) for part in _divided(text)]
    pieces = [match[1] for match in PIECE.finditer(text)]
    if len(pieces) > 1:
        views.append(squeeze("".join(pieces)))
    return b"\n".join(views)


def _divided(text: str) -> Iterator[str]:
    """The parts of a text that colours and tags stand in."""
    begun, ends = 0, 0
    patterns = [pattern for marks, pattern in EACH if any(mark in text for mark in marks)]
    for start, end in sorted(match.span() for pattern in patterns for match in pattern.finditer(text)):
        if start - AROUND > ends:
            if ends:
                yield text[begun:ends]
            begun = max(0, start - AROUND)
        ends = max(ends, end + AROUND)
    if ends:
        yield text[begun:ends]


def _inner(text: str, depth: int) -> Iterator[bytes]:
    for _, inner in decoded(text):
        yield squeeze(inner)
        if depth > 1:
            yield from _inner(inner, depth - 1)


def written(views: bytes, writings: Sequence[Writing]) -> bool:
    """Whether the views of a text hold any of them."""
    for one in writings:  # noqa: SIM110  (as in ``secret_forms``)
        if one.head in views or one.tail in views:
            return True
    return False


def decoded(text: str) -> Iterator[tuple[Span, str]]:
    """Its runs of base64, of hex and of escapes, and what each holds, a character a byte."""
    if any(mark in text for mark in "\\%=&"):
        for match in CODES.finditer(text):
            yield match.span(), "".join(chr(_code(one)) for one in CODE.finditer(match[0]))
    for match in RUN.finditer(text):
        run = match[0]
        for data in _bytes_of(run):
            unpack = UNPACK.get(data[:2])
            if unpack is not None:
                try:
                    data = unpack(data)
                except (zlib.error, OSError, EOFError, lzma.LZMAError):
                    continue
            yield match.span(), data.decode("latin-1")


def _code(match: re.Match[str]) -> int:
    slashed, octal, decimal, *others = match.groups()
    if octal or decimal:
        return int(octal, 8) if octal else int(decimal)
    return int(slashed or next(filter(None, others)), 16)


def _bytes_of(run: str) -> Iterator[bytes]:
    if HEX.fullmatch(run):
        yield bytes.fromhex(run)
    plain = run.translate({45: "+", 95: "/"})
    try:
        yield base64.b64decode(plain[:-1] if len(plain) % 4 == 1 else plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        return


def spans_of(text: str, writings: Sequence[Writing]) -> list[Span]:
    """Where a text holds them, view by view; what stands between their characters belongs to it, but for
    the pieces of a stream."""
    found = [span for span, inner in decoded(text) if written(views_of(inner), writings)]
    for token in (TOKEN, WITHOUT) if BETWEEN.search(text) else (TOKEN,):
        letters, places = _letters(text, token)
        found += [(places[a], _end(text, places[b - 1], token)) for a, b in _places(letters, writings)]
    pieces = [(match.start(1), match[1]) for match in PIECE.finditer(text)]
    joined = "".join(piece for _, piece in pieces)
    letters, places = _letters(joined)
    for a, b in _places(letters, writings):
        begin, end, at = places[a], _end(joined, places[b - 1]), 0
        for start, piece in pieces:
            low, high = max(begin - at, 0), min(end - at, len(piece))
            if low < high:
                found.append((start + low, start + high))
            at += len(piece)
    return found


def _letters(text: str, token: re.Pattern[str] = TOKEN) -> tuple[bytes, list[int]]:
    """The squeezed text, and where each of its characters stands. token: what is read as one."""
    letters = bytearray()
    places: list[int] = []
    for match in token.finditer(text):
        squeezed = squeeze(match[0]) if token is TOKEN or not BETWEEN.fullmatch(match[0]) else b""
        letters += squeezed
        places += [match.start()] * len(squeezed)
    return bytes(letters), places


def _end(text: str, at: int, token: re.Pattern[str] = TOKEN) -> int:
    """Of the token that begins there."""
    found = token.match(text, at)
    return found.end() if found else at


def _places(letters: bytes, writings: Sequence[Writing]) -> Iterator[Span]:
    for one in writings:
        for at in _found(letters, one.head):
            yield at, at + _alike(letters[at:], one.text)
        for at in _found(letters, one.tail):
            end = at + len(one.tail)
            yield end - _alike(letters[max(0, end - len(one.text)) : end][::-1], one.text[::-1]), end


def _found(letters: bytes, wanted: bytes) -> Iterator[int]:
    at = letters.find(wanted)
    while at >= 0:
        yield at
        at = letters.find(wanted, at + 1)


def _alike(letters: bytes, text: bytes) -> int:
    for count, (one, other) in enumerate(zip(letters, text, strict=False)):
        if one != other:
            return count
    return min(len(letters), len(text))
