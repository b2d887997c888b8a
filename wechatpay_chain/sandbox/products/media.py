"""Uploads of pictures, videos and papers (protocol section 15), and complaints' images.

That ``meta`` is what is signed, and that its hash is the file's, is checked for every
upload of the catalogue; here are sizes and types, and what became of a file.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..checks import catalogued
from ..refusals import Internal, Problem, parameters, refused
from ..routing import Answer, Call, File, Route
from ..signatures.signing import Download
from ..state.tables import Table
from ..world import World

_MB = 1024 * 1024
_PICTURES: dict[str, int] = dict.fromkeys(("jpg", "jpeg", "bmp", "png"), 2 * _MB)
_FILMS = ("avi", "wmv", "mpeg", "mp4", "mov", "mkv", "flv", "f4v", "m4v", "rmvb")
_VIDEOS: dict[str, int] = dict.fromkeys(_FILMS, 5 * _MB)
_PAPERS: dict[str, int] = {
    **dict.fromkeys(_PICTURES, 5 * _MB),
    "pdf": 15 * _MB // 2,
}
_TYPES = {"jpg": "jpeg"}


class _Kind(NamedTuple):
    """One endpoint: how many bytes it takes, by the ending of the file's name."""

    template: str
    limits: Mapping[str, int]
    #: ``media_id`` or ``media_url``.
    answers: str = "media_id"
    #: Whether the file can be had again.
    kept: bool = False


_KINDS = (
    # Today's limits; older texts have 2 MB for pictures.
    _Kind("/v3/merchant/media/upload", _PAPERS),
    _Kind("/v3/merchant/media/video_upload", _VIDEOS),
    _Kind("/v3/marketing/favor/media/image-upload", _PICTURES, "media_url"),
    _Kind("/v3/merchant-service/images/upload", _PICTURES, kept=True),
)
_IMAGE = "/v3/merchant-service/images/{media_id}"
_URL = "https://qpic.cn/"


@dataclass(eq=False)
class Upload:
    """One file that was taken."""

    mchid: str
    name: str
    size: int
    #: In base64, where it can be had again.
    content: str | None = field(default=None, repr=False)


class Media:
    """The endpoints, and the files behind them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._uploads: Table[Upload] = world.tables.table("media", Upload)

    def routes(self) -> Iterator[Route]:
        """The endpoints."""
        for kind in _KINDS:
            yield catalogued.route("POST", kind.template, self._taking(kind))
        yield catalogued.route("GET", _IMAGE, self.image)

    def _taking(self, kind: _Kind) -> Callable[[Call], Answer]:
        def take(call: Call) -> Answer:
            return self._take(kind, call)

        return take

    def _take(self, kind: _Kind, call: Call) -> Answer:
        file = next(iter(call.files.values()), None)
        if file is None:
            raise parameters([Problem("/file", "required, and missing")])
        _check(kind, file)
        number = self._world.ids.token("media")
        content = b64encode(file.content).decode() if kind.kept else None
        upload = Upload(call.merchant.mchid, file.name, len(file.content), content)
        self._uploads.put(number, upload)
        text = f"{_URL}{number}/0" if kind.answers == "media_url" else number
        return Answer(200, {kind.answers: text})

    def image(self, call: Call) -> Answer:
        """Have an image of a complaint (图片下载): unsigned."""
        upload = self._uploads.peek(call.path["media_id"])
        if (
            upload is None
            or upload.content is None
            or upload.mchid != call.merchant.mchid
        ):
            raise refused(
                "RESOURCE_NOT_EXISTS",
                "media_unknown",
                "this merchant has uploaded no such image",
                number=Internal.NOT_FOUND,
            )
        ending = _ending(upload.name)
        kind = f"image/{_TYPES.get(ending, ending)}"
        return Answer(200, Download(b64decode(upload.content), kind))


def _check(kind: _Kind, file: File) -> None:
    """Raise :class:`Refusal` for a file of another type, or one that is too large."""
    ending = _ending(file.name)
    limit = kind.limits.get(ending)
    if limit is None:
        issue = f"a file of the type {', '.join(kind.limits)} expected"
        raise parameters([Problem("/filename", issue, file.name)])
    if not 0 < len(file.content) <= limit:
        issue = f"1 to {limit} bytes expected, got {len(file.content)}"
        raise parameters([Problem("/file", issue)])


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""
