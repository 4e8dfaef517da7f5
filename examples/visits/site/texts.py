"""What the site is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One page; `more` is where else to read of it."""

    name: str
    title: str
    body: str
    more: str


TEXTS = {
    text.name: text
    for text in (
        Text(
            "pharos",
            "The Pharos of Alexandria",
            "Built in the third century BC, it was seen from thirty miles away. It stood for some 1600 years.",
            "https://en.wikipedia.org/wiki/Lighthouse_of_Alexandria",
        ),
        Text(
            "eddystone",
            "The Eddystone",
            "The fourth tower on this rock was built of blocks that hold one another. The third is now in Plymouth.",
            "https://en.wikipedia.org/wiki/Eddystone_Lighthouse",
        ),
        Text(
            "cordouan",
            "Cordouan",
            "The first Fresnel lens was lit here in 1823. It is the oldest lighthouse of France that still works.",
            "https://en.wikipedia.org/wiki/Cordouan_Lighthouse",
        ),
    )
}
