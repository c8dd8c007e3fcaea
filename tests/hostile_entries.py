"""Entries of the program with sound inputs, and ways to spoil them, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from landbridge.cli import main
from landbridge.cli.terminal import read_json, shortened
from landbridge.errors import LandbridgeError
from landbridge.io.tables import DATA
from landbridge.results.manifest import horizon_of, manifest, scenarios_of
from landbridge.scenario import Scenario, apply, at_horizon, load_scenario
from landbridge.studies.check_data import check
from landbridge.world import World
from publisher_files import write_baci

# How an input may end: with an answer, or refused with a message and its exit code.
RIGHT = ("answered", "refused 1", "refused 2", "refused 3", "refused 4", "refused 5")

CELLS = (
    *(
        "",
        " ",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e400",
        "1e308",
        "-1",
        "0",
        "1e-320",
        "1,5",
        "1 234",
        "0x10",
        "１２",
    ),
    *(
        "=1+1",
        "@x",
        "\x1b[31m",
        "\u2028",
        "\ufeff",
        "\xa0",
        "x" * 300,
        "x" * 50_000,
        "*",
        "CHN|KAZ",
        "../../etc",
        "{}",
    ),
    *('"', "a;b", "a\nb", "TRUE", "None", "2023-05-01", "9" * 400, "1e12", "1e300", "-0", "00", "1.0"),
)
BYTES = (
    b"\0",
    b"\xff",
    b'"',
    b"\n",
    b";",
    b"\t",
    b"\xef\xbb\xbf",
    b"[",
    b"]",
    b"{",
    b"=",
    b",",
    b"#",
    b"<",
    b">",
    b"~",
)

TNTP_NET = """<NUMBER OF ZONES> 3
<NUMBER OF NODES> 4
<FIRST THRU NODE> 1
<NUMBER OF LINKS> 5
<END OF METADATA>
~ init term capacity length fftt b power speed toll type ;
1 2 1000 1 0.1 0.15 4 60 0 1 ;
2 3 1000 1 0.1 0.15 4 60 0 1 ;
1 4 800 1 0.2 0.15 4 60 0 1 ;
4 3 800 1 0.2 0.15 4 60 0 1 ;
3 1 900 2 0.3 0.15 4 60 0 1 ;
"""
TNTP_TRIPS = """<NUMBER OF ZONES> 3
<TOTAL OD FLOW> 300.0
<END OF METADATA>
Origin 1
2 : 100.0; 3 : 150.0;
Origin 3
1 : 50.0;
"""
PANEL = "exporter,importer,year,trade,rta\n" + "".join(
    f"{o},{d},{year},{100 + 7 * i + 3 * j + year % 5},{(i + j + year) % 2}\n"
    for i, o in enumerate(("AUT", "BEL", "CHE", "DEU"))
    for j, d in enumerate(("AUT", "BEL", "CHE", "DEU"))
    for year in (2018, 2019)
)


# Quick commands with sound options, of which any word after the first is spoiled; NET, TRIPS, PANEL: files.
COMMANDS = (
    ("route", "Almaty", "Tashkent", "--commodity", "MCH", "-k", "2", "--mode", "rail", "--json"),
    ("route", "Khorgos", "Osh", "--product", "block", "--lang", "ru"),
    (
        "assign",
        "NET",
        "TRIPS",
        "--model",
        "weibit",
        "--gap",
        "1e-4",
        "--phi",
        "4",
        "--rounds",
        "20",
        "--json",
    ),
    ("assign", "NET", "TRIPS", "--select-link", "2", "--toll-weight", "0.5", "--distance-weight", "0.1"),
    ("gravity", "trade ~ rta | exporter^year + importer^year", "PANEL", "--where", "year == 2018", "--json"),
    ("gravity", "trade ~ rta", "PANEL", "--cluster", "pair", "--method", "ols", "--exporter", "exporter"),
    ("gas", "--lose", "line-C", "--months", "1-3", "--profile", "flat", "--draws", "5", "--seed", "1"),
    ("scenarios", "cku-railway", "--json"),
    ("data", "card", "links", "--json"),
    ("data", "list", "--json"),
    ("treaties", "--json"),
)


class Bench:
    """Sound inputs in a folder, and one way for each entry to be tried with a spoiled copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = folder / "own"
        shutil.copytree(DATA, self.own)
        (folder / "baci").mkdir()
        self.baci = write_baci(folder / "baci")
        self.scenarios = sorted((DATA / "scenarios").glob("*.toml"))
        self.tables = sorted(self.own.rglob("*.csv"))
        self.world: World | None = None
        self.written = ""
        self.entries: dict[str, Callable[[Path, Random], str]] = {
            "scenario": self._scenario,
            "tntp": self._tntp,
            "gmns": self._gmns,
            "gravity": self._gravity,
            "baci": self._baci,
            "world": self._world,
            "totals": self._totals,
            "manifest": self._manifest,
            "options": self._options,
        }

    def try_one(self, name: str, random: Random) -> str:
        """One spoiled input to an entry: 'answered', 'refused CODE', or what went wrong."""
        room = self.folder / "room"
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        return self.entries[name](room, random)

    def _call(self, *words: str) -> str:
        """The program as a user starts it, in this process."""
        out, err = io.StringIO(), io.StringIO()
        given, sys.argv = sys.argv, ["landbridge", *words]
        code: object = 0
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main()
        except SystemExit as ended:
            code = ended.code or 0
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:60]}"
        finally:
            sys.argv = given
        said = err.getvalue()
        if "internal error" in said:
            return said[said.index("internal error") :][:120]
        if len(said.splitlines()) > 40 or len(said) > 20_000 or "\x1b" in said:
            return "a message without bounds"
        return f"refused {code}" if code else "answered"

    def _scenario(self, room: Path, random: Random) -> str:
        import landbridge as lb

        self.world = self.world or lb.load()
        text = spoiled(random.choice(self.scenarios).read_bytes(), random).decode("utf-8", errors="replace")
        try:
            apply(self.world, Scenario.from_toml(text, "spoiled", world=self.world))
        except LandbridgeError as error:
            return _judged(error)
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:60]}"
        return "answered"

    def _tntp(self, room: Path, random: Random) -> str:
        texts = [TNTP_NET.encode(), TNTP_TRIPS.encode()]
        which = random.randrange(2)
        texts[which] = spoiled(texts[which], random)
        (room / "net.tntp").write_bytes(texts[0])
        (room / "trips.tntp").write_bytes(texts[1])
        return self._call("assign", str(room / "net.tntp"), str(room / "trips.tntp"), "--json")

    def _gmns(self, room: Path, random: Random) -> str:
        files = {
            "node.csv": "node_id,x_coord,y_coord,zone_id\n1,0.0,0.0,1\n2,0.1,0.0,2\n3,0.1,0.1,\n",
            "link.csv": "link_id,from_node_id,to_node_id,length,lanes,capacity,free_speed,directed,"
            "allowed_uses\n"
            "a,1,2,12,2,1000,60,1,auto\nb,1,3,8,1,900,50,1,auto\nc,3,2,9,1,900,50,1,auto\n",
            "demand.csv": "o_zone_id,d_zone_id,volume\n1,2,500\n",
        }
        hit = random.choice(sorted(files))
        for name, text in files.items():
            content = text.encode()
            (room / name).write_bytes(spoiled(content, random) if name == hit else content)
        return self._call("assign", str(room), str(room / "demand.csv"), "--json")

    def _gravity(self, room: Path, random: Random) -> str:
        (room / "panel.csv").write_bytes(spoiled(PANEL.encode(), random))
        formula = "trade ~ rta | exporter^year + importer^year"
        return self._call("gravity", formula, str(room / "panel.csv"), "--json")

    def _baci(self, room: Path, random: Random) -> str:
        for path in self.baci.parent.iterdir():
            shutil.copy(path, room / path.name)
        path = room / self.baci.name
        path.write_bytes(spoiled(path.read_bytes(), random))
        return self._call("data", "read", "baci", str(path), "--json")

    def _totals(self, room: Path, random: Random) -> str:
        text = "what,exporter,importer,sector,musd\ntrade,CHN,KAZ,goods,28000\ngdp,KAZ,,,270000\n"
        (room / "totals.csv").write_bytes(spoiled(text.encode(), random))
        return self._call(
            "data", "build", "--totals", str(room / "totals.csv"), "-o", str(room / "w"), "--json"
        )

    def _manifest(self, room: Path, random: Random) -> str:
        """A result that is run again, up to where it would be solved."""
        import landbridge as lb

        world = self.world = self.world or lb.load()
        self.written = self.written or json.dumps(
            manifest(world, "run", [load_scenario(name) for name in ("cku-railway", "gas-line-c-lost")])
        )
        path = room / "again.json"
        path.write_bytes(spoiled(self.written.replace('", "', '",\n"').encode(), random))
        try:
            document = read_json(path)
            if (year := horizon_of(document)) is not None:
                world = at_horizon(world, year)
            for scenario in scenarios_of(document, world, path.name):
                apply(world, scenario)
        except LandbridgeError as error:
            return _judged(error)
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:60]}"
        return "answered"

    def _options(self, room: Path, random: Random) -> str:
        files = {"NET": TNTP_NET, "TRIPS": TNTP_TRIPS, "PANEL": PANEL}
        words = list(random.choice(COMMANDS))
        for _ in range(random.choice((1, 1, 2))):
            at = random.randrange(1, len(words))
            words[at] = random.choice((random.choice(CELLS), f"{words[at]}{random.choice(CELLS)}"))
        for name, text in files.items():
            (room / name.lower()).write_text(text, encoding="utf-8")
        return self._call(*(str(room / word.lower()) if word in files else word for word in words))

    def _world(self, room: Path, random: Random) -> str:
        """What `data check` refuses no command solves, and the check itself ends with faults."""
        path = random.choice(self.tables)
        before = path.read_bytes()
        try:
            path.write_bytes(spoiled(before, random))
            faults = check(self.own).faults
            if not faults:
                return "answered"
            end = self._call("route", "Almaty", "Tashkent", "--world", str(self.own))
            return "solved although refused" if end == "answered" else end
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:60]}"
        finally:
            path.write_bytes(before)


def spoiled(content: bytes, random: Random) -> bytes:
    """A text with one to three of its cells, lines or bytes changed."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        content = random.choice((_cell, _cell, _cell, _byte, _line, _cut))(content, random)
    return content


def _cell(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    at = random.randrange(len(lines))
    mark = b"," if b"," in lines[at] else b" "
    cells = lines[at].split(mark)
    cells[random.randrange(len(cells))] = random.choice(CELLS).encode("utf-8", errors="replace")
    lines[at] = mark.join(cells)
    return b"\n".join(lines)


def _byte(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice(BYTES) + content[at + random.randrange(2) :]


def _line(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    at = random.randrange(len(lines))
    if random.random() < 0.5:
        lines.insert(at, lines[at])
    else:
        del lines[at]
    return b"\n".join(lines)


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _judged(error: LandbridgeError) -> str:
    told = shortened(error)
    if len(told.splitlines()) > 22 or len(told) > 20_000 or "\x1b" in told:
        return "a message without bounds"
    return f"refused {error.exit_code}"
