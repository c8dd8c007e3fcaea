"""The application, and its errors of usage in the language asked for."""

from __future__ import annotations

from typing import Any

__all__ = ["run_app"]


def run_app(lang: str) -> int:
    """Run the command that is asked for. Returns its exit code.

    lang: of errors of usage; English ones are those of the argument parser as they are. Raises what the
    command raises.
    """
    from landbridge.cli import commands

    if lang == "en":
        commands.app()
        return 0
    try:
        code = commands.app(standalone_mode=False)
    except Exception as error:
        # The parser is a part of typer, or click for older versions of it: what is of it, shows it.
        if not hasattr(error, "format_message"):
            if type(error).__name__ == "Abort":
                return 1
            raise
        _show(error, lang)
        return int(getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0


def _show(error: Any, lang: str) -> None:
    """Print an error of usage as the parser does, in another language."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    from landbridge.error_texts import translated

    if type(error).__name__ == "NoArgsIsHelpError":
        return  # the help is printed already
    screen = Console(stderr=True)
    context = getattr(error, "ctx", None)
    if context is not None:
        usage = " ".join(context.get_usage().split())
        screen.print(Text(translated(usage, lang)))
        help_of = f"Try '{context.command_path} {context.help_option_names[0]}' for help."
        screen.print(Text(translated(help_of, lang)))
    text = translated(" ".join(error.format_message().split()), lang)
    title = translated("Error", lang)
    screen.print(Panel(Text(text), border_style="red", title=title, title_align="left"))
