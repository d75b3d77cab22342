"""A configuration at work: what calls read of it, what they did not, what to save of it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from hub_estimator import errors
from hub_estimator.config import bindings
from hub_estimator.config.messages import clear_call_errors, unread_message
from hub_estimator.config.parsing import parse_all
from hub_estimator.config.registry import parameters_of


@dataclasses.dataclass(frozen=True)
class Session:
    """A parsed configuration, as long as its `gin_session` lasts.

    Attributes:
      given: what the bindings set, beside the files.
      optional: macros and `@parts` that the files use and no binding gives. What used them may have
        been given another value since, so their settings may have no effect.
    """

    given: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    _inherited: set[str] = dataclasses.field(default_factory=set)

    def check_all_read(self) -> None:
        """Checks that every binding had an effect so far; those of what is optional need none.

        Raises:
          errors.UnreadBindingError: some had none; the message names them and near ones.
        """
        parts = {each.selector for each in bindings.read()}
        _check([each for each in self._unread() if not self._may_be_unread(each, parts)])

    def _may_be_unread(self, binding: bindings.Binding, parts: set[str]) -> bool:
        """Whether a setting of the files may have no effect, given the parts that were used."""
        if binding.is_macro or str(binding) in self.given:
            return str(binding) in self.optional
        name = binding.selector.rsplit(".", 1)[-1]
        return f"@{name}" in self.optional and binding.selector not in parts

    def check_given_read(self) -> None:
        """Checks that what the bindings set had an effect so far; the files' settings need none.

        This is for calls that use a part of a configuration that is another call's.

        Raises:
          errors.UnreadBindingError: some had none; the message names them and near ones.
        """
        _check([each for each in self._unread() if str(each) in self.given])

    def operative_text(self) -> str:
        """Returns the configuration that had an effect so far, as the text of a gin file."""
        import gin

        return gin.operative_config_str(max_line_length=100)

    def macros_read(self) -> frozenset[str]:
        """Returns the macros that had an effect so far."""
        return frozenset(str(each) for each in bindings.read() if each.is_macro)

    def settings_in(self, message: str) -> list[str]:
        """Returns the names of the settings whose text is quoted in a message, macros first."""
        found = [
            each
            for each in bindings.bound()
            if isinstance(each.value, str) and repr(each.value) in message
        ]
        return [
            str(each) for each in sorted(found, key=lambda each: (not each.is_macro, str(each)))
        ]

    def call(self, name: str, /, inherits: str | None = None, **arguments: Any) -> Any:
        """Calls what `add_configurable` added as `name`, with its settings.

        Args:
          name: the name in gin files.
          inherits: another name; parameters of the same names that have no setting of their own
            have that one's.
          **arguments: what the run gives rather than the configuration.

        Raises:
          errors.MissingSettingError: the configuration lacks what something cannot do without.
        """
        import gin

        if inherits is not None:
            self._inherit(name, inherits)
        with clear_call_errors():
            return gin.get_configurable(name)(**arguments)

    def _inherit(self, name: str, other: str) -> None:
        import gin

        names = {str(each) for each in bindings.bound()}
        with gin.unlock_config():
            for parameter in parameters_of(name):
                own, theirs = f"{name}.{parameter}", f"{other}.{parameter}"
                if theirs in names and own not in names:
                    gin.bind_parameter(own, gin.query_parameter(theirs))
                    self._inherited.add(theirs)

    def _unread(self) -> list[bindings.Binding]:
        return [each for each in bindings.unread_bindings() if str(each) not in self._inherited]


@contextlib.contextmanager
def gin_session(
    gin_files: Sequence[str] = (), given_bindings: Sequence[str] = ()
) -> Iterator[Session]:
    """Parses gin files, then bindings, for the time of a `with` block.

    Args:
      gin_files: paths, or names of packaged configurations; later ones override earlier ones.
      given_bindings: `"name.parameter = value"` or `"MACRO = value"`; they override the files.

    Yields:
      The `Session`.

    Raises:
      errors.ConfigFileNotFoundError: a file or an included file is not there.
      errors.UnknownSettingError: there is no such configurable, parameter or macro.
      errors.MissingSettingError: something is still `%gin.REQUIRED`.
      errors.ConfigError: a line cannot be parsed.
    """
    import gin

    gin.clear_config()
    try:
        used = parse_all(gin_files, given_bindings)
        given = frozenset(
            str(each) for text in given_bindings for each in bindings.statements(text)
        )
        yield Session(given, used - given)
    finally:
        gin.clear_config()


def _check(unread: list[bindings.Binding]) -> None:
    if unread:
        raise errors.UnreadBindingError(unread_message(unread))
