"""Publishes a module to a private hub of static files, or withdraws a version of it.

    python -m hub_estimator.publish --module=out/tuned/export/module/latest/text --site=/srv/hub \\
        --name=acme/reviews-en --description=reviews.md --url=https://models.example.com
    python -m hub_estimator.publish --site=/srv/hub --name=acme/reviews-en --version=2 \\
        --withdraw='It was trained on the wrong labels.'

The site gets the module as an archive, a page for it, and a place in index.html, index.json and
feed.xml. A version appears whole or not at all, and never changes once it is there. Any web server
can serve the folder; with the configuration in examples/hosting/, the address of a page is a handle.
It needs the extra hub_estimator[site]; for a site in a store, hub_estimator[remote] and the library
of the store, such as s3fs.

Exit status: 0 done; 1 an error, in one line that starts with `error:`; 2 wrong flags; 130 or 143
stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from hub_estimator import command_line

_NEXT = "next"
_OF_PUBLISHING = ("description", "model_dir", "url")


def define_flags() -> flags.FlagValues:
    """Returns this command's flags; nothing is defined in absl's global flags."""
    values = flags.FlagValues()
    flags.DEFINE_string(
        "module", None, "What to publish: the folder of a module, an archive or a URL.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "site", None, "The folder of the site, or its place in a store, such as s3://bucket/hub; made "
        "where it is not there.", flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_string(
        "name", None, "The name of the model: an owner and a model, as in acme/reviews-en.",
        flag_values=values, required=True,
    )  # fmt: skip
    flags.DEFINE_string(
        "version", _NEXT, f"The number of the version; '{_NEXT}' is one more than the last.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "description", None, "A Markdown file about the model, for its page.", flag_values=values
    )
    flags.DEFINE_string(
        "model_dir", None, "The model folder of the run that the module is of, for its page; by "
        "default the one that it was exported in.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "url", None, "The address under which the site is served, for handles on its pages; once "
        "given, the site keeps it.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "withdraw", None, "Withdraw --version instead of publishing: the reason, which its page says.",
        flag_values=values,
    )  # fmt: skip
    flags.register_multi_flags_validator(
        ["module", "withdraw"],
        lambda given: (given["module"] is None) != (given["withdraw"] is None),
        "Give --module to publish one, or --withdraw with a reason.",
        flag_values=values,
    )
    flags.register_multi_flags_validator(
        ["withdraw", "version"],
        lambda given: given["withdraw"] is None or given["version"] != _NEXT,
        "Say which --version to withdraw.",
        flag_values=values,
    )
    flags.register_multi_flags_validator(
        ["withdraw", *_OF_PUBLISHING],
        lambda given: (
            given["withdraw"] is None or all(given[name] is None for name in _OF_PUBLISHING)
        ),
        "--description, --model_dir and --url are of publishing.",
        flag_values=values,
    )
    return values


def run(argv: Sequence[str]) -> int:
    """Runs the command.

    Args:
      argv: the program's name and its flags.

    Returns:
      The exit status.
    """
    return command_line.run(_publish, define_flags(), argv, str(__doc__))


def _publish(values: flags.FlagValues) -> None:
    # Not earlier: `--help` answers at once.
    from hub_estimator.site import names, withdrawing

    number = None if values.version == _NEXT else names.parse_version(values.version)
    if values.withdraw is not None:
        assert number is not None  # the flags' validator sees to that
        page = withdrawing.withdraw(values.site, values.name, number, values.withdraw)
        print(f"Withdrawn: version {number} of {values.name}. Its page says why: {page}")
        return
    command_line.start_tensorflow()
    from hub_estimator.site import publishing

    made = publishing.publish(
        values.module,
        values.site,
        values.name,
        number,
        values.description,
        values.model_dir,
        values.url,
    )
    print(f"Published: version {made.version.number} of {made.version.name}")
    print(f"Archive:   {made.archive}")
    print(f"SHA-256:   {made.version.archive_sha256}")
    print(f"Page:      {made.page}")
    if made.url:
        print(f"Handle:    {made.url}")


if __name__ == "__main__":
    command_line.main(run)
