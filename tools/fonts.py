"""Make the fonts again, for instance to add a character: subsets of Adobe's Source fonts, renamed
as the OFL asks.

    npm install source-sans source-serif
    pip install fonttools brotli
    python tools/fonts.py node_modules
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[1]
WEB = ROOT / "book" / "_theme" / "static" / "fonts"
TEXT = {*map(chr, range(0x20, 0x7F)), *"\u00a0·–—‘’“”•…′\u2009\u202f°±×§©−→←äöüÖÜéèáçñíóøß"}
GREEK = {*map(chr, (*range(0x391, 0x3A2), *range(0x3A3, 0x3AA), *range(0x3B1, 0x3CA), 0x3D5))}
SIGNS = {*"−∂‖≤≥≈≠×∞→←↑↓√∑∏·±⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉"}
LATIN_1 = {*map(chr, range(0xA0, 0x100))}
FONTS = [  # source, characters, place, family, style, weight
    (
        "source-serif/TTF/SourceSerif4-Regular",
        TEXT | {*"≤≥≈∞∂‖√∘ΔΣ½¼²αβγδεθκλμρστφ"},
        WEB / "serif.woff2",
        "GTT Serif",
        "Regular",
        400,
    ),
    (
        "source-serif/TTF/SourceSerif4-It",
        TEXT,
        WEB / "serif-italic.woff2",
        "GTT Serif",
        "Italic",
        400,
    ),
    (
        "source-serif/TTF/SourceSerif4-Semibold",
        TEXT,
        WEB / "serif-semibold.woff2",
        "GTT Serif",
        "Semibold",
        600,
    ),
    (
        "source-sans/TTF/SourceSans3-Regular",
        TEXT | {*"≤≥≈∞∂‖ρσλᵏ⁻⁰¹²³⁴⁵⁶⁷⁸⁹"},
        WEB / "sans.woff2",
        "GTT Sans",
        "Regular",
        400,
    ),
    (
        "source-sans/TTF/SourceSans3-Semibold",
        TEXT | {*"ρᵏ⁻⁰¹²³⁴⁵⁶⁷⁸⁹"},
        WEB / "sans-semibold.woff2",
        "GTT Sans",
        "Semibold",
        600,
    ),
    (
        "source-sans/TTF/SourceSans3-Regular",
        TEXT | LATIN_1 | GREEK | SIGNS,
        ROOT / "src" / "bptt_core" / "SourceSans3.ttf",
        "GTT Sans",
        "Regular",
        400,
    ),
]


def make(source, characters, place, family, style, weight):
    font = TTFont(source)
    options = subset.Options(
        layout_features=["kern", "liga"], name_IDs=[0, 13, 14], hinting=False, notdef_outline=True
    )
    options.drop_tables += ["STAT", "BASE", "gasp", "prep", "DSIG"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(characters))
    subsetter.subset(font)
    script = f"{family}-{style}".replace(" ", "")
    names = {
        1: family,
        2: style,
        3: f"1.0;{script}",
        4: f"{family} {style}",
        5: "Version 1.0",
        6: script,
    }
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font["OS/2"].usWeightClass = weight
    font.flavor = "woff2" if place.suffix == ".woff2" else None
    font.save(place)
    print(
        f"{place.relative_to(ROOT)}: {place.stat().st_size} bytes, "
        f"{len(font.getBestCmap())} characters"
    )


if __name__ == "__main__":
    for source, *rest in FONTS:
        make(Path(sys.argv[1], f"{source}.ttf"), *rest)
