"""Files are written whole or not at all, and cells and messages obey nobody's spreadsheet or terminal."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from commands import Call
from landbridge.cli.terminal import shortened
from landbridge.errors import DataError, Fault
from landbridge.io import whole
from landbridge.io.files import write_text
from landbridge.io.network import write_gmns
from landbridge.io.whole import check_place, harmless, left_behind, write_whole
from landbridge.report import Section, markdown

posix = pytest.mark.skipif(os.name != "posix", reason="modes and pipes are POSIX's")
CODE = "from landbridge.cli import main; main()"


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_text(path, "one")
    write_text(path, "two")
    assert path.read_text() == "two" and [p.name for p in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt(), RuntimeError("x")])
def test_a_fault_in_the_write_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "out.json"
    write_text(path, "old")

    def broken(beside: Path) -> None:
        beside.write_text("half", encoding="utf-8")
        raise error

    with pytest.raises(DataError if isinstance(error, OSError) else type(error)):
        write_whole(path, broken)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize("step", ["_flush_to_disk", "_temporary"])
def test_a_fault_in_any_step_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(whole, step, broken)
    with pytest.raises(DataError, match="Input/output error"):
        write_text(tmp_path / "out.json", "text")
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_link_is_followed_and_the_mode_is_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o600)
    link.symlink_to(real)
    write_text(link, "new")
    assert link.is_symlink() and real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


@posix
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "out.json"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "through")
    reader.join(10)
    assert got == ["through"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_two_writers_do_not_meet_and_a_long_name_fits(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 240 + ".json")
    faults: list[BaseException] = []

    def often(text: str) -> None:
        try:
            for _ in range(60):
                write_text(path, text * 2000)
        except BaseException as error:
            faults.append(error)

    writers = [threading.Thread(target=often, args=(c,)) for c in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not faults and set(path.read_text()) in ({"a"}, {"b"}) and len(list(tmp_path.iterdir())) == 1


def test_a_place_is_tried_before_it_is_needed(tmp_path: Path) -> None:
    check_place(tmp_path / "new.json")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder.json").mkdir()
    for path in (tmp_path / "folder.json", tmp_path / "none" / "x.json"):
        with pytest.raises(DataError) as wrong:
            check_place(path)
        assert wrong.value.faults[0].cure


def test_what_a_killed_process_left_is_found(tmp_path: Path) -> None:
    left = tmp_path / ".out.json.abcd.part"
    left.write_text("half", encoding="utf-8")
    assert left_behind(tmp_path / "out.json") == []
    os.utime(left, (time.time() - 3600, time.time() - 3600))
    assert left_behind(tmp_path / "out.json") == [left]
    assert left_behind(tmp_path / "other.json") == []


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=cmd()", "'=cmd()"),
        ("+1+2", "'+1+2"),
        ("-x", "'-x"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("-1.5", "-1.5"),
        ("+3e-4", "+3e-4"),
        ("plain", "plain"),
        ("a\x1b[31mred\x9b", "a[31mred"),
        ("", ""),
    ],
)
def test_cells_are_no_formulas(cell: str, safe: str) -> None:
    assert harmless(cell) == safe


def test_no_escape_code_reaches_a_page_or_a_terminal() -> None:
    section = Section("a\x1b[2J", ("b\x07",), (("c\x1b]0;x",),), ("d\x9b",), ("e\x00",))
    text = markdown([section])
    assert text.replace("\n", "").isprintable() and "a[2J" in text


def test_a_long_message_is_cut_and_counted() -> None:
    error = DataError("bad", [Fault(f"row {n}", "x" * 5000, "mend it") for n in range(500)])
    lines = shortened(error).splitlines()
    assert len(lines) == 21 and "481 more lines" in lines[-1] and max(map(len, lines)) < 700


# -- streams -------------------------------------------------------------------------------------------


def _run(words: str, *redirect: str) -> subprocess.CompletedProcess[str]:
    line = f'"{sys.executable}" -c "{CODE}" {words} {" ".join(redirect)}'
    return subprocess.run(["bash", "-c", line], capture_output=True, encoding="utf-8", check=False)


@posix
@pytest.mark.parametrize(
    ("words", "redirect", "code"),
    [
        ("scenarios", ">/dev/full", 1),
        ("scenarios", ">&-", 1),
        ("scenarios nosuch", "2>&-", 3),
        ("scenarios nosuch", "2>/dev/full", 3),
        ("scenarios nosuch", ">&- 2>&-", 3),
    ],
)
def test_full_and_closed_streams_end_with_the_right_code(words: str, redirect: str, code: int) -> None:
    done = _run(words, redirect)
    assert done.returncode == code
    assert "Traceback" not in done.stderr and "internal error" not in done.stderr


@posix
def test_a_reader_that_has_seen_enough_ends_it_quietly() -> None:
    line = f'"{sys.executable}" -c "{CODE}" scenarios --schema | head -c 10'
    done = subprocess.run(["bash", "-c", line], capture_output=True, encoding="utf-8", check=False)
    assert done.stderr == "" and len(done.stdout) == 10


def test_a_word_without_end_and_a_file_that_cannot_be_had_are_no_internal_errors(call: Call) -> None:
    code, _, said = call("data", "card", "x" * 50_000)
    assert code == 2 and len(said) < 300 and "shorten it" in said
    code, _, said = call("assign", "n" * 300, "trips.tntp")
    assert code == 3 and "check its name" in said


def test_two_who_write_a_folder_have_temporary_ones_of_their_own(tmp_path: Path) -> None:
    """The second to end is refused, nothing is mixed and nothing is left."""
    target = tmp_path / "net"
    one, two = whole.folder_beside(target), whole.folder_beside(target)
    assert one != two and one.is_dir() and two.is_dir() and one.parent == tmp_path
    one.rmdir()
    two.rmdir()
    (tmp_path / ".net.part").mkdir()
    (tmp_path / ".net.part" / "theirs.csv").write_text("x", encoding="utf-8")
    write_gmns(target, {"node.csv": "node_id\n1\n"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [".net.part", "net"]
    with pytest.raises(DataError):
        write_gmns(target, {"node.csv": "node_id\n2\n"})
    assert (target / "node.csv").read_text(encoding="utf-8") == "node_id\n1\n"
    assert (tmp_path / ".net.part" / "theirs.csv").is_file()
