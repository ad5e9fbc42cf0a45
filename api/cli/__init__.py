"""The command line `moltrail`. Each command is loaded when it is called, so that help comes at once."""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path

import click

from pipeline import __version__

# Command -> module that holds it, and what it is for: known here so that help loads none of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("api.cli.serve", "Serve the GraphQL API and its pages."),
    "import": ("api.cli.imports", "Bring files in: portfolios, snapshots, phase I trials, registry records, stops."),
    "mapping": ("api.cli.mappings", "Propose, confirm and list how the columns of tables are read."),
    "export": ("api.cli.export", "Write molecules, programmes or history as tables, or a study as SDTM."),
    "monitoring": ("api.cli.monitoring", "Log concentrations; correct, exclude, verify, retract or reject them."),
    "alerts": ("api.cli.alerts", "List alerts, and answer for them."),
    "schema": ("api.cli.schema", "Print the GraphQL schema."),
    "graph": ("api.cli.graph", "Check a state graph; print or draw it; put it in force."),
    "assess": ("api.cli.assess", "Assess checkpoints on the records: one programme, or all that changed."),
    "decide": ("api.cli.decide", "Decide on an assessment."),
    "conditions": ("api.cli.conditions", "List the conditions of decisions; record that one is met, or lifted."),
    "attrition": ("api.cli.attrition", "Review where, when and why programmes stop; verify and compare reviews."),
    "key-figures": ("api.cli.key_figures", "Show the key figures of a year; record the counts they need."),
    "rules": ("api.cli.rules", "List checkpoint rules; define a version, see how often it is wrong, put it to use."),
    "replay": ("api.cli.replay", "Run a rule over the past, or escalation rules against published doses."),
    "reasons": ("api.cli.reasons", "Propose why something stopped from free text; say how good proposals are."),
    "verify": ("api.cli.verify", "Walk the audit chain and say whether anything was altered."),
    "token": ("api.cli.token", "Make, list and revoke API tokens."),
    "db": ("api.cli.db", "Migrate the database, or say where it stands."),
    "demo": ("api.cli.demo", "Load the demonstration data."),
    "calc": ("api.cli.calc", "Compute one method of the catalogue from the command line."),
    "bench": ("api.cli.bench", "Measure speed and memory as ratios against a limit in one run."),
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of the commands."""
        return [name for name, (module, _) in COMMANDS.items() if _exists(module)]

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Load one command."""
        if name not in COMMANDS or not _exists(COMMANDS[name][0]):
            return None
        command = importlib.import_module(COMMANDS[name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for one that does not exist, name the nearest that does."""
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(context), n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]}?", context) from None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with what they are for, loading none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(context)])


def _exists(module: str) -> bool:
    return (Path(__file__).parent / f"{module.rsplit('.', 1)[-1]}.py").exists()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="moltrail")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="MOLTRAIL_DATA",
    default=Path("data"),
    show_default=True,
    help="The folder of the records, their key and their anchor.",
)
@click.option(
    "--database-url",
    envvar="MOLTRAIL_DATABASE_URL",
    help="A PostgreSQL database instead of an SQLite file in the data folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
@click.pass_context
def cli(context: click.Context, data: Path, database_url: str | None, as_json: bool) -> None:
    """Moltrail: every molecule's way from bench to bedside, and what stops it on the way."""
    from api.cli.shared import Session

    context.obj = Session(data, database_url, as_json)


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error and exit code 2."""
    from pipeline.errors import PipelineError, each

    try:
        cli.main(prog_name="moltrail", standalone_mode=False)
    except PipelineError as error:
        for one in each(error):
            click.echo(f"{one.message}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.exceptions.Exit as ending:
        sys.exit(ending.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        from api.cli.shared import report_bug

        click.echo(report_bug(error), err=True)
        sys.exit(70)
