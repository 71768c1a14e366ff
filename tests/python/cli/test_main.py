"""What every command has in common: help that teaches, and errors of one line."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import vouch.cli
from vouch.cli.main import MODULES, cli
from vouch.protocol.errors import VouchError

COMMANDS = [
    "up",
    "demo",
    "deploy",
    "node",
    "attest",
    "relayer",
    "model",
    "request",
    "status",
    "challenge",
    "reject",
    "settle",
    "expire",
    "check",
]
COMMAND = re.compile(r"^(async )?def command\(", re.MULTILINE)
KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


def run(*arguments: str, **environment: str) -> Result:
    clean = {"VOUCH_KEY": None, "VOUCH_KEY_FILE": None, "VOUCH_RPC": None, "VOUCH_DEPLOYMENTS": None}
    return CliRunner().invoke(cli, list(arguments), env={**clean, **environment})


def test_help_names_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert all(f"  {command} " in result.output for command in COMMANDS)
    assert "First steps" in result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output) > 300
    if command != "model":
        assert "Examples:" in result.output or "What happens:" in result.output
    assert "--key " not in result.output, "keys never come from the command line"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_command_is_found_by_its_name(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name


def test_no_module_with_a_command_is_left_out() -> None:
    folder = Path(vouch.cli.__file__).parent
    having = {path.stem for path in folder.glob("*.py") if COMMAND.search(path.read_text())}
    assert having == {*MODULES.values()} - {"dispute"}


def test_a_command_is_imported_when_it_is_asked_for() -> None:
    said = "import sys; from vouch.cli.main import cli; cli(['status', '--help'], standalone_mode=False); "
    said += "sys.exit(str([name for name in ('vouch.cli.status', 'vouch.cli.zk') if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "['vouch.cli.status']"


def test_an_unknown_command_is_a_usage_error() -> None:
    result = run("stauts")
    assert result.exit_code == 2
    assert "No such command 'stauts'" in result.output


def test_version() -> None:
    assert run("--version").output.startswith("vouch, version ")


def test_an_unknown_option_is_a_usage_error() -> None:
    assert run("demo", "--nope").exit_code == 2


def test_a_missing_key_is_a_usage_error_that_says_how() -> None:
    result = run("request", "risk", "{}")
    assert result.exit_code == 2
    assert "--key-file" in result.output
    assert "VOUCH_KEY" in result.output


def test_a_chain_that_does_not_answer(tmp_path: Path) -> None:
    result = run("model", "list", "--rpc", "http://127.0.0.1:9", "--deployments", str(tmp_path))
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert "127.0.0.1:9" in result.output
    assert "Traceback" not in result.output


def test_options_come_from_the_environment(tmp_path: Path) -> None:
    result = run("model", "list", VOUCH_RPC="http://127.0.0.1:9", VOUCH_DEPLOYMENTS=str(tmp_path))
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.output


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(VouchError):
        pass

    @click.command("fail")
    @click.argument("how")
    def fail(how: str) -> None:
        match how:
            case "known":
                raise Broken("the disk is full\nmake room")
            case "group":
                raise BaseExceptionGroup("tasks", [ExceptionGroup("inner", [Broken("one")]), Broken("two")])
            case _:
                raise ZeroDivisionError("oh")

    monkeypatch.setitem(cli.commands, "fail", fail)


@pytest.mark.usefixtures("failing")
def test_a_known_error_is_one_line_and_what_to_do() -> None:
    result = run("fail", "known")
    assert (result.exit_code, result.output) == (1, "error: the disk is full\n  make room\n")


@pytest.mark.usefixtures("failing")
def test_errors_of_several_tasks_are_all_told() -> None:
    result = run("fail", "group")
    assert (result.exit_code, result.output) == (1, "error: one\n  two\n")


@pytest.mark.usefixtures("failing")
def test_a_bug_says_how_to_see_more() -> None:
    result = run("fail", "bug")
    assert result.exit_code == 1
    assert "ZeroDivisionError: oh" in result.output
    assert "--debug" in result.output


@pytest.mark.usefixtures("failing")
def test_debug_gives_the_error_itself() -> None:
    assert isinstance(run("--debug", "fail", "bug").exception, ZeroDivisionError)
