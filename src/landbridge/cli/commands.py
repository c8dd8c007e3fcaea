"""The commands of `landbridge` in one Typer application."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from landbridge.cli.assign import assign
from landbridge.cli.at_hand import docs, doctor
from landbridge.cli.build import build, rebalance
from landbridge.cli.cache import cache
from landbridge.cli.calibrate import calibrate, validate
from landbridge.cli.channels import claims, farm, travel, treaties
from landbridge.cli.compare import compare
from landbridge.cli.data import data
from landbridge.cli.disrupt import disrupt
from landbridge.cli.explain import explain
from landbridge.cli.gas import gas
from landbridge.cli.gravity import gravity
from landbridge.cli.invest import invest
from landbridge.cli.readers import read_publisher
from landbridge.cli.report import chart, report
from landbridge.cli.route import route
from landbridge.cli.run import cite, run, scenarios
from landbridge.cli.sensitivity import sensitivity
from landbridge.cli.serve import serve
from landbridge.cli.sweep import sweep
from landbridge.cli.ways import reach, ways
from landbridge.cli.why import why

__all__ = ["app"]

app = typer.Typer(
    name="landbridge",
    help="From a border queue to a country's real income: routes, trade costs and trade equilibrium for "
    "China, Central Asia and their neighbours. Every figure is a static, long-run answer, not a forecast.",
    epilog="Exit codes: 0 done, 1 error, 2 usage, 3 bad data or scenario, 4 not converged, 5 infeasible.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _command in (
    run,
    compare,
    route,
    ways,
    reach,
    report,
    chart,
    scenarios,
    calibrate,
    explain,
    why,
    sensitivity,
    sweep,
    disrupt,
    invest,
    gas,
    farm,
    travel,
    treaties,
    claims,
    assign,
    gravity,
    serve,
    cite,
    doctor,
    docs,
):
    app.command()(_command)
data.command()(validate)
data.command("read")(read_publisher)
data.command()(build)
data.command()(rebalance)
app.add_typer(data)
app.add_typer(cache)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from landbridge.version import version as installed

        sys.stdout.write(f"landbridge {installed()}\n")
        raise typer.Exit
