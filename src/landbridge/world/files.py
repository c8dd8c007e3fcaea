"""Contents of the files of a World that are not tables, shared by all Worlds made from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zlib import compress, decompress

__all__ = ["Files"]


class Files(Mapping[str, bytes]):
    """File contents by path. A pickle holds them compressed, once for all Worlds that share them.

    content: by path.
    """

    def __init__(self, content: Mapping[str, bytes]) -> None:
        self._content = dict(content)

    def __getitem__(self, path: str) -> bytes:
        return self._content[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __reduce__(self) -> tuple[Any, ...]:
        return _inflated, ({path: compress(content) for path, content in self._content.items()},)


def _inflated(deflated: Mapping[str, bytes]) -> Files:
    return Files({path: decompress(content) for path, content in deflated.items()})
