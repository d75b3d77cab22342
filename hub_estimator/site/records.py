"""What a site keeps of each version: `version.json`, written once, and `withdrawn.json`."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hub_estimator import errors, json_text
from hub_estimator.site import names

FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_PICTURE = re.compile(r"picture-[0-9]{1,3}\.png")


@dataclasses.dataclass(frozen=True)
class Withdrawal:
    """That a version is there no more.

    Attributes:
      why: the reason, for people.
      when: the time, ISO 8601 in UTC.
    """

    why: str
    when: str

    def to_json(self) -> str:
        """Returns the text on disk."""
        return as_text({"format": FORMAT, **dataclasses.asdict(self)})

    @classmethod
    def from_json(cls, text: bytes) -> Withdrawal:
        """Returns what `to_json` wrote.

        Raises:
          ValueError: the text is anything else.
        """
        content = _parsed(text)
        _check(isinstance(content.get("why"), str), "why")
        _check(_is_time(content.get("when")), "when")
        return cls(content["why"], content["when"])


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of a page.

    Attributes:
      file: its name beside the page.
      title: what it shows.
    """

    file: str
    title: str


@dataclasses.dataclass(frozen=True)
class Version:
    """A published version.

    Attributes:
      name: that of the model: `owner/model`.
      number: that of the version.
      published: the time, ISO 8601 in UTC.
      archive_bytes: the size of its archive.
      archive_sha256: the digest of its archive.
      module_sha256: the digest of the module; see `digests.of_module`.
      text: the description in Markdown; empty without one.
      about: what the module is; see `module_facts`.
      training: what is known of its training; see `training_facts`. None where nothing is.
      pictures: of the report of its training.
      publication: what its publisher wrote down for itself, if anything; see `publishing.publish`.
      withdrawal: why it is there no more; None while it is.
    """

    name: str
    number: int
    published: str
    archive_bytes: int
    archive_sha256: str
    module_sha256: str
    text: str
    about: Mapping[str, Any]
    training: Mapping[str, Any] | None
    pictures: tuple[Picture, ...] = ()
    publication: Mapping[str, Any] | None = None
    withdrawal: Withdrawal | None = None

    @property
    def is_there(self) -> bool:
        """Whether it can be had."""
        return self.withdrawal is None

    @property
    def handle(self) -> str:
        """Its handle but for the address of the site."""
        return f"{self.name}/{self.number}"

    def to_json(self) -> str:
        """Returns the text on disk, in which no withdrawal is."""
        content = dataclasses.asdict(self)
        del content["withdrawal"]
        return as_text({"format": FORMAT, **content})

    @classmethod
    def from_json(cls, text: bytes) -> Version:
        """Returns what `to_json` wrote.

        Raises:
          ValueError: the text is anything else.
        """
        content = _parsed(text)
        try:
            names.check(content["name"])
            pictures = tuple(Picture(**picture) for picture in content["pictures"])
            found = cls(
                **{
                    field.name: content[field.name]
                    for field in dataclasses.fields(cls)
                    if field.name not in ("pictures", "publication", "withdrawal")
                },
                pictures=pictures,
                publication=content.get("publication"),  # that of a person has none
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"it has not all that a version has: {error}") from error
        except errors.InvalidModelNameError as error:
            raise ValueError("its name is none") from error
        _check(type(found.number) is int and found.number > 0, "number")
        _check(type(found.archive_bytes) is int and found.archive_bytes >= 0, "archive_bytes")
        _check(_is_time(found.published), "published")
        for field in ("archive_sha256", "module_sha256"):
            value = getattr(found, field)
            _check(isinstance(value, str) and bool(_SHA256.fullmatch(value)), field)
        _check(isinstance(found.text, str), "text")
        _check(isinstance(found.about, dict), "about")
        _check(found.training is None or isinstance(found.training, dict), "training")
        _check(found.publication is None or isinstance(found.publication, dict), "publication")
        for picture in found.pictures:
            _check(isinstance(picture.title, str), "title")
            _check(isinstance(picture.file, str) and bool(_PICTURE.fullmatch(picture.file)), "file")
        return found


def newest_of(versions: Sequence[Version]) -> Version | None:
    """Returns the newest version that can be had; None where none can.

    Args:
      versions: those of a model, the newest first.
    """
    return next((version for version in versions if version.is_there), None)


def now() -> str:
    """Returns the time, ISO 8601 in UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_text(content: Mapping[str, Any]) -> str:
    """Returns the text on disk of what programs read of a site, in UTF-8 and a fixed order."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _parsed(text: bytes) -> dict[str, Any]:
    content = json_text.parse(text)
    _check(isinstance(content, dict), "value")
    json.dumps(content, ensure_ascii=False).encode()  # raises where a text has half a character
    if content.get("format") != FORMAT:
        raise ValueError("it is of another format")
    return content


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(_TIME.fullmatch(value))


def _check(is_right: bool, what: str) -> None:
    if not is_right:
        raise ValueError(f"its {what} is none")
