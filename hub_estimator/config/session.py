"""A configuration at work: what calls read of it, what they did not, what to save of it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from hub_estimator import errors
from hub_estimator.config import bindings, dividing, operative, registry, statements
from hub_estimator.config.bindings import Reading
from hub_estimator.config.dividing import Divided
from hub_estimator.config.messages import clear_call_errors, unread_message
from hub_estimator.config.origin import ConfigOrigin
from hub_estimator.config.parsing import NotYetKnownError, Parsed, ReadFile, parse_all
from hub_estimator.config.statements import Binding, Reference
from hub_estimator.config.uses import Uses
from hub_estimator.config.whole_text import whole_text


@dataclasses.dataclass(frozen=True)
class Reached:
    """A call of a part that follows from the texts of a configuration.

    Attributes:
      part: the part.
      scope: the scope that it is called in.
      values: its settings and literal defaults, with the values of macros in the place of these.
      names: where somebody gave each its value: the macro, or the setting itself.
    """

    part: str
    scope: str
    values: Mapping[str, Any]
    names: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Session:
    """A parsed configuration, as long as its `gin_session` lasts.

    Attributes:
      given: what the bindings set, beside the files.
      used: the macros and parts that the files use. What uses them may have been given another value
        since, so their settings in the files may have no effect.
      imports: the modules that were imported for the configuration.
      files: the gin files that it is from, each before those that it includes.
    """

    given: frozenset[str] = frozenset()
    used: frozenset[Reference] = frozenset()
    imports: tuple[str, ...] = ()
    files: tuple[ReadFile, ...] = ()

    @property
    def is_of_model_folder(self) -> bool:
        """Whether the configuration of a model folder is a part of it."""
        return any(operative.is_operative(file.path) for file in self.files)

    def check_all_read(self) -> None:
        """Checks that every binding had an effect so far, but for those of files that others made
        useless: by giving what used them another value, or by setting the same in an inner scope.

        Raises:
          errors.UnreadBindingError: some had none; the message names them and near ones.
        """
        reading = bindings.reading()
        _check(self._useless(reading), reading)

    def check_reached(
        self, name: str, only_given: bool = False, is_before_call: bool = False
    ) -> None:
        """Checks that bindings can have an effect where a part is called, and all that it leads to.

        It finds without a call what `check_all_read` or `check_given_read` finds after one, as far as
        that follows from the texts: where it may not, nothing is said.

        Args:
          name: the part.
          only_given: whether only what the bindings set needs an effect.
          is_before_call: whether the call is still to come. Then nothing is said either where the
            files use what nothing reads: what was given in the place of that use may be what is
            wrong, and the call says it better.

        Raises:
          errors.UnreadBindingError: some can have none; the message names them and near ones.
        """
        reading = bindings.reachable(name)
        unread = self._given_of(reading) if only_given else self._useless(reading)
        are_settled = all(
            binding.is_macro or registry.is_settled(binding.selector, binding.parameter)
            for binding in unread
        )
        is_replaced = any(self._is_replaced(binding, reading) for binding in unread)
        if are_settled and not (is_before_call and is_replaced):
            _check(unread, reading)

    def calls_reached(self, name: str) -> list[Reached]:
        """Returns the calls that a call of a part leads to, as far as that follows from the texts.

        Args:
          name: the part that is called.
        """
        reading = bindings.reachable(name)
        macros = {str(binding): binding.value for binding in reading.read if binding.is_macro}
        found: dict[tuple[str, str], tuple[dict[str, Any], dict[str, str]]] = {}
        for binding in reading.read:
            if binding.is_macro:
                continue
            key = binding.selector, binding.scope
            values, names = found.setdefault(key, ({}, {}))
            is_macro = isinstance(binding.value, Reference) and binding.value.is_macro
            values[binding.parameter] = statements.without_macros(binding.value, macros)
            names[binding.parameter] = binding.value.name if is_macro else str(binding)
        return [Reached(*key, *settings) for key, settings in found.items()]

    def check_parts_reached(self, name: str, parts: Collection[str]) -> None:
        """Checks that what is set of some parts can have an effect where a part is called.

        As with `check_reached`, settings of files may have none that others made useless.

        Args:
          name: the part that is called.
          parts: the names of the parts.

        Raises:
          errors.UnreadBindingError: some can have none; the message names them and near ones.
        """
        reading, known = bindings.reachable(name), [registry.part(part) for part in parts]
        of_parts = [
            binding
            for binding in self._useless(reading)
            if not binding.is_macro and registry.part(binding.selector) in known
        ]
        _check(of_parts, reading)

    def without(
        self, given: Sequence[str], name: str, other: str, parts: Collection[str]
    ) -> Divided:
        """Returns the configuration without what only a call of one part reads; see `dividing`.

        Args:
          given: the bindings of this configuration beside its files.
          name: the part whose settings go.
          other: the part whose settings stay, also those that both read.
          parts: the names of those parts whose settings all go.
        """
        return dividing.without(self.files, given, name, other, parts)

    def _useless(self, reading: Reading) -> list[Binding]:
        """Returns what nothing reads, but for what others made useless; see `check_all_read`."""
        return [
            binding
            for binding in reading.unread
            if str(binding) in self.given
            or not (binding in reading.overruled or self._is_replaced(binding, reading))
        ]

    def _given_of(self, reading: Reading) -> list[Binding]:
        """Returns what nothing reads of what the bindings set."""
        return [binding for binding in reading.unread if str(binding) in self.given]

    def _is_replaced(self, binding: Binding, reading: Reading) -> bool:
        """Whether the files use what a setting is of, and what was used in the end is something else.

        Args:
          binding: a setting that nothing reads.
          reading: what was read.
        """
        if binding.is_macro:
            return Reference("", str(binding), is_macro=True) in self.used
        part = registry.part(binding.selector)
        scopes = [other.scope for other in reading.read if other.selector == binding.selector]
        if any(statements.is_in(scope, binding.scope) for scope in scopes):
            return False
        return any(
            registry.part(reference.name) is part
            and (not scopes or statements.is_in(reference.scope, binding.scope))
            for reference in self.used
            if not reference.is_macro
        )

    def check_given_read(self) -> None:
        """Checks that what the bindings set had an effect so far; the files' settings need none.

        This is for calls that use a part of a configuration that is another call's.

        Raises:
          errors.UnreadBindingError: some had none; the message names them and near ones.
        """
        reading = bindings.reading()
        _check(self._given_of(reading), reading)

    def operative_text(self, model_dir: str) -> str:
        """Returns the configuration that had an effect so far, as the text of a gin file.

        It imports nothing, and its head says where it is at work; see `ConfigOrigin`.

        Args:
          model_dir: the model folder that it is for.
        """
        import gin

        lines = gin.operative_config_str(max_line_length=100).split("\n")
        text = itertools.dropwhile(lambda line: line.startswith(("import ", "from ")), lines)
        head = ConfigOrigin.here(model_dir, self.imports).head()
        return head + "\n" + "\n".join(text).lstrip("\n")

    def whole_text(self, name: str) -> str:
        """Returns the configuration as a call of a part would use it, as the text of a gin file.

        It has what is set and of use, the defaults of all that is used, and what it imports.

        Args:
          name: the part.

        Raises:
          errors.UnreadBindingError: a setting can have no effect; see `check_reached`.
        """
        self.check_reached(name)
        return whole_text(name, self.files, self.given, self.imports)

    def macros_read(self) -> dict[str, Any]:
        """Returns the macros that had an effect so far, with their values as gin files have them."""
        return {str(binding): binding.value for binding in bindings.read() if binding.is_macro}

    def settings_in(self, message: str) -> list[str]:
        """Returns the names of the settings whose text is quoted in a message, macros first."""
        found = [
            binding
            for binding in bindings.bound()
            if isinstance(binding.value, str) and repr(binding.value) in message
        ]
        return [
            str(binding)
            for binding in sorted(found, key=lambda binding: (not binding.is_macro, str(binding)))
        ]

    def call(self, name: str, /, **arguments: Any) -> Any:
        """Calls what `add_configurable` added as `name`, with its settings.

        Args:
          name: the name in gin files.
          **arguments: what the run gives rather than the configuration.

        Raises:
          errors.MissingSettingError: the configuration lacks what something cannot do without.
        """
        import gin

        uses = Uses(bindings.bound())
        uses.walk(name)
        with clear_call_errors(name):
            return gin.get_configurable(name)(**arguments)


@contextlib.contextmanager
def gin_session(
    gin_files: Sequence[str] = (),
    given_bindings: Sequence[str] = (),
    allowed_imports: Sequence[str] = (),
    is_complete: bool = True,
) -> Iterator[Session]:
    """Parses gin files, then bindings, for the time of a `with` block.

    A file called `operative_config.gin` is that of a model folder, which may be a stranger's: it may
    set what this package, the program or an allowed module registered; it imports and includes
    nothing, and its paths lead to where they led in training, see `ConfigOrigin`. Other files are
    the user's own, and may import what they like.

    Args:
      gin_files: paths, or names of packaged configurations; later ones override earlier ones.
      given_bindings: `"name.parameter = value"` or `"MACRO = value"`; they override the files.
      allowed_imports: modules to import before, so that the configuration of a model folder can name
        what they register.
      is_complete: whether all that is required must be given; otherwise nothing can be called.

    Yields:
      The `Session`.

    Raises:
      errors.ConfigFileNotFoundError: a file or an included file is not there.
      errors.UnknownSettingError: there is no such configurable, parameter or macro.
      errors.MissingSettingError: something that is read is still `%gin.REQUIRED`.
      errors.ConfigError: something else is wrong with a text; the message says what and where.
    """
    import gin

    gin.clear_config()
    try:
        parsed = parse_all(gin_files, given_bindings, allowed_imports, is_complete=is_complete)
        yield _session(parsed)
    finally:
        gin.clear_config()


@contextlib.contextmanager
def early_session(
    gin_files: Sequence[str] = (), given_bindings: Sequence[str] = (), is_complete: bool = True
) -> Iterator[Session | None]:
    """Parses gin files and bindings as `gin_session` does, without importing anything.

    Parts need not be added yet: that they are declared is enough to check what texts say of them,
    not to call them.

    Args:
      gin_files: see `gin_session`.
      given_bindings: see `gin_session`.
      is_complete: see `gin_session`.

    Yields:
      The `Session`; None where more can be known only once something was imported.

    Raises:
      errors.ConfigError: see `gin_session`.
    """
    import gin

    gin.clear_config()
    parsed = None
    try:
        with contextlib.suppress(NotYetKnownError):
            parsed = parse_all(gin_files, given_bindings, is_early=True, is_complete=is_complete)
        yield None if parsed is None else _session(parsed)
    finally:
        gin.clear_config()


def _session(parsed: Parsed) -> Session:
    return Session(parsed.given, parsed.used, parsed.imports, parsed.files)


def _check(unread: list[Binding], reading: Reading) -> None:
    if unread:
        raise errors.UnreadBindingError(unread_message(unread, reading))
