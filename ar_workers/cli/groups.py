"""Groups that list when they are called alone: an option before the subcommand's name is handed on to it, or refused."""

from __future__ import annotations

import click
from click.core import ParameterSource


class Subcommand(click.Command):
    """Takes over what was given to its group. An option that it has not is refused: one that is dropped would widen what it does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Click's; what was given before stands where a default would."""
        before = {} if ctx.parent is None else {each.opts[0]: ctx.parent.params[name] for name, each in given(ctx.parent).items()}
        own = {flag: each.name for each in self.params for flag in each.opts if each.name}
        ctx.default_map = {own[flag]: value for flag, value in before.items() if flag in own}
        rest = super().parse_args(ctx, args)
        for flag, value in before.items():
            if flag not in own:
                raise click.UsageError(f"{flag} stands before {self.name}, which has no such option", ctx)
            if ctx.params[own[flag]] != value:
                raise click.UsageError(f"{flag} stands before and after {self.name}, with different values", ctx)
        return rest


class Listing(click.Group):
    """A group whose subcommands take over its options."""

    command_class = Subcommand


def given(ctx: click.Context) -> dict[str, click.Parameter]:
    """The parameters that somebody has given, here or before the subcommand's name."""
    named = {each.name: each for each in ctx.command.params if each.name}
    return {name: each for name, each in named.items() if ctx.get_parameter_source(name) not in {None, ParameterSource.DEFAULT}}
