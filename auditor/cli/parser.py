"""The words of the command line; what they do is in the modules beside this one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from auditor import __version__

CLOUD_NAMES = ("public", "usgov", "china")
AUTH_NAMES = ("auto", "cli", "powershell", "azd", "environment", "client-secret", "client-certificate",
              "managed-identity", "workload-identity", "device-code", "browser")  # fmt: skip
INVENTORY_NAMES = ("graph", "arm")
SEVERITY_NAMES = ("critical", "high", "medium", "low", "info")
FORMAT_NAMES = ("console", "controls", "json", "markdown", "markdown-summary", "html", "sarif", "junit", "csv",
                "csv-coverage", "github", "azure-pipelines", "gitlab")  # fmt: skip
EXIT_CODES = """exit codes:
  0    done; gate passed, or no gate set
  1    gate failed: a new, unaccepted failure at or above --fail-on; --strict: or unknown
  2    usage or configuration error; nothing was done
  3    incomplete: more unread than --max-unassessed allows, or nothing to judge
  4    no usable identity, or nothing at all could be read
  5    internal error (a bug)
  130  interrupted; what was read is kept"""


class _Parser(argparse.ArgumentParser):
    """argparse with our form of error."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\nhint: {self.prog} --help\n")

    def odd_words(self, words: Sequence[str]) -> NoReturn:
        """Refuse what the command does not know, with the option that was likely meant."""
        from difflib import get_close_matches

        word = words[0].partition("=")[0]
        known = [option for action in self._actions for option in action.option_strings]
        near = get_close_matches(word, known, n=1, cutoff=0.6) if word.startswith("-") else []
        what = "there is no option" if word.startswith("-") else "one word too many:"
        hint = f"did you mean {near[0]}?" if near else f"{self.prog} --help"
        self.exit(2, f'error: {self.prog}: {what} "{word}"\nhint: {hint}\n')


def _later(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    """A command imported only when it runs, so that `--version` starts fast."""

    def run(arguments: argparse.Namespace) -> int:
        command: Callable[[argparse.Namespace], int] = getattr(import_module(f"auditor.cli.{module}"), function)
        return command(arguments)

    return run


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of one run, with the function to call as `run`."""
    arguments, odd = build().parse_known_args(argv)
    if odd:
        asked: _Parser = getattr(arguments, "parser", build())
        asked.odd_words(odd)
    if not hasattr(arguments, "run"):
        build().parse_args(["--help"])
    return arguments


def build() -> _Parser:
    """The whole parser; a test compares its help with the README."""
    parser = _Parser(
        prog="auditor",
        description="If this Azure estate were attacked,\ncould we reconstruct what happened from the logs it keeps?",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"auditor {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _scan(commands)
    _collect(commands)
    _doctor(commands)
    _report(commands)
    _rules(commands)
    _accept(commands)
    _demo(commands)
    _emulate(commands)
    return parser


def _add(commands: Any, name: str, summary: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=summary[:1].upper() + summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.set_defaults(run=run, parser=parser)
    return parser


def _scan(commands: Any) -> None:
    parser = _add(commands, "scan", "read a place, judge it by the rules, and report", _later("run", "scan"))
    parser.add_argument(
        "target",
        nargs="?",
        default="azure",
        help="`azure` (default), a snapshot, a Terraform plan or state as JSON, an ARM or Bicep template, what-if as "
        "JSON, or a folder of code",
    )
    _azure(parser)
    _judging(parser)
    parser.add_argument("--jobs", type=_positive, default=1, metavar="N",
                        help="processes that judge a large snapshot (default: 1)")  # fmt: skip
    _coded(parser)
    _accepting(parser)
    _output(parser)
    gate = parser.add_argument_group("gate")
    gate.add_argument("--fail-on", choices=SEVERITY_NAMES, help="exit 1 for a failure at or above this severity")
    gate.add_argument("--strict", action="store_true", help="what cannot be told fails the gate as a failure does")
    gate.add_argument("--max-unassessed", metavar="N|P%", help="exit 3 if more reads than this stay unknown "
                      "(default: 0 with --fail-on, else no limit)")  # fmt: skip
    gate.add_argument("--baseline", metavar="FILE", help="an earlier findings file: what failed in it is known, and "
                      "fails the gate no more")  # fmt: skip
    gate.add_argument("--changed-since", metavar="REF", help="what failed at this git revision of the code is known: "
                      "only what the change introduces fails the gate")  # fmt: skip
    gate.add_argument("--exit-zero", action="store_true", help="exit 0 where the gate would exit 1 or 3")
    _talk(parser)


def _coded(parser: argparse.ArgumentParser) -> None:
    code = parser.add_argument_group("infrastructure code")
    code.add_argument("--var-file", action="append", default=[], metavar="FILE", help="a file of Terraform variables "
                      "for a folder of code, besides those that Terraform loads itself (repeat)")  # fmt: skip
    code.add_argument("--source-root", metavar="DIR", help="the code that a Terraform plan was made of: tells files, "
                      "lines, and what a plan leaves out")  # fmt: skip
    code.add_argument("--parameters", metavar="FILE", help="the parameter file of an ARM or Bicep template "
                      "(default: X.parameters.json beside X.json or X.bicep)")  # fmt: skip
    code.add_argument("--bicep", metavar="PATH", help="the Bicep compiler (default: `bicep` or `az` on PATH)")


def _collect(commands: Any) -> None:
    parser = _add(commands, "collect", "read Azure into a snapshot, to be judged later without a network",
                  _later("reading", "collect"))  # fmt: skip
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the snapshot to write; FILE.partial "
                        "beside it lets the same command go on after a break")  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="begin anew instead of going on where a break was")
    parser.add_argument("--max-unassessed", metavar="N|P%", help="exit 3 if more reads than this stay unknown")
    _azure(parser)
    _talk(parser)


def _doctor(commands: Any) -> None:
    parser = _add(commands, "doctor", "say what this identity could assess, and what would show it the rest",
                  _later("doctor", "doctor"))  # fmt: skip
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="for people, or for machines")
    _azure(parser)
    _config(parser)
    parser.set_defaults(select=[], ignore=[], rules=[], profile=None)


def _report(commands: Any) -> None:
    parser = _add(commands, "report", "render a findings file (JSON) in other formats", _later("run", "report"))
    parser.add_argument("findings", metavar="FINDINGS", help="a file written with `-f json=FILE`")
    _output(parser)


def _rules(commands: Any) -> None:
    parser = _add(commands, "rules", "list, show, test, start or describe rules", _later("rules", "list_rules"))
    words = parser.add_subparsers(title="commands", metavar="COMMAND")
    listed = _add(words, "list", "list the rules", _later("rules", "list_rules"))
    _judging(listed)
    show = _add(words, "show", "show one rule: why, how to fix it, and what it maps to", _later("rules", "show"))
    show.add_argument("rule", metavar="RULE", help="a rule's id")
    _folders(show)
    test = _add(words, "test", "run the tests inside rule files", _later("rules", "test"))
    test.add_argument("folder", nargs="?", metavar="DIR", help="a folder of rules (default: the shipped ones)")
    new = _add(words, "new", "write a new rule file to start from", _later("new_rule", "new"))
    new.add_argument("id", metavar="ID", help="the rule's id, in kebab-case")
    new.add_argument("--resource", default="Microsoft.ContainerRegistry/registries", metavar="TYPE",
                     help="the resource type it judges (default: container registries)")  # fmt: skip
    new.add_argument("-o", "--output", default="rules", metavar="DIR",
                     help="the folder to write it in (default: rules)")  # fmt: skip
    _add(words, "schema", "print the JSON schema of rule files, for editors", _later("rules", "schema"))
    parser.set_defaults(select=[], ignore=[], rules=[], profile=None, config=None)


def _demo(commands: Any) -> None:
    parser = _add(commands, "demo", "scan the emulated Contoso tenant and write its reports", _later("local", "demo"))
    parser.add_argument("-o", "--output", default="demo", metavar="DIR", help="where to write them (default: demo)")
    _quiet(parser)


def _emulate(commands: Any) -> None:
    parser = _add(commands, "emulate", "serve an estate file as a local Azure", _later("local", "emulate"))
    parser.add_argument("estate", nargs="?", metavar="ESTATE", help="an estate file (default: Contoso)")
    parser.add_argument("--port", type=int, default=8443, help="the port to listen on (default: 8443; 0 for any)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: loopback only)")


def _azure(parser: argparse.ArgumentParser) -> None:
    azure = parser.add_argument_group("Azure")
    azure.add_argument("--tenant", metavar="ID", help="the tenant to sign in to")
    azure.add_argument("-s", "--subscription", action="append", default=[], metavar="ID|NAME",
                       help="only this subscription (repeat for more)")  # fmt: skip
    azure.add_argument("--exclude-subscription", action="append", default=[], metavar="ID|NAME",
                       help="all but this subscription (repeat for more)")  # fmt: skip
    azure.add_argument("--management-group", metavar="ID", help="only subscriptions below this management group")
    _focus(parser)
    azure.add_argument("--auth", choices=AUTH_NAMES, metavar="HOW", help="how to sign in: "
                       f"{', '.join(AUTH_NAMES)} (default: auto, as DefaultAzureCredential does)")  # fmt: skip
    azure.add_argument("--cloud", choices=CLOUD_NAMES, help="the cloud to talk to (default: public)")
    azure.add_argument("--inventory", choices=INVENTORY_NAMES, help="who lists the resources: Resource Graph, or "
                       "Resource Manager itself, in more reads (default: graph, which falls back)")  # fmt: skip
    azure.add_argument("--arm-batch", action="store_true", help="read log settings in batches of 20, by an endpoint "
                       "that Microsoft does not document; what it does not answer is read one by one")  # fmt: skip
    azure.add_argument("--concurrency", type=int, metavar="N", help="reads in flight at once (default: 128)")


def _focus(parser: argparse.ArgumentParser) -> None:
    focus = parser.add_argument_group("what is judged", "Everything else is still read as far as it decides with. Case "
                                      "is ignored, * and ? are wild; repeat for more.")  # fmt: skip
    for short, name, value, text in (
        ("-g", "--resource-group", "NAME", "only what is in this resource group"),
        ("", "--exclude-resource-group", "NAME", "all but what is in this resource group"),
        ("", "--tag", "KEY[=VALUE]", "only what has this tag; a part without tags has those of its whole"),
        ("", "--exclude-tag", "KEY[=VALUE]", "all but what has this tag"),
        ("", "--type", "TYPE", "only this resource type, with its parts"),
        ("", "--exclude-type", "TYPE", "all but this resource type, with its parts"),
    ):
        flags = [flag for flag in (short, name) if flag]
        focus.add_argument(*flags, action="append", default=[], metavar=value, help=text)


def _accepting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--acceptances", metavar="FILE", help="accepted risks (default: as configured, else none)")


def _accept(commands: Any) -> None:
    parser = _add(commands, "accept", "accept a risk until a day, and see what was accepted",
                  _later("accept", "list_acceptances"))  # fmt: skip
    words = parser.add_subparsers(title="commands", metavar="COMMAND")
    add = _add(words, "add", "accept what a rule finds in a scope", _later("accept", "add"))
    add.add_argument("rule", metavar="RULE", help="a rule's id; * for any letters")
    add.add_argument("--scope", metavar="ID", help="an id; * for any letters, as in */resourceGroups/rg-lab/*")
    add.add_argument("--tag", action="append", default=[], metavar="KEY[=VALUE]", help="what it has to be tagged with "
                     "(repeat for more)")  # fmt: skip
    add.add_argument("--reason", required=True, metavar="TEXT", help="why this may stay as it is")
    add.add_argument("--approved-by", required=True, metavar="NAME", help="who answers for it")
    add.add_argument("--expires", metavar="DAY", help="the last day, 12 months ahead at most (default: in 180 days)")
    add.add_argument("--ticket", metavar="ID", help="where it was decided")
    listed = _add(
        words, "list", "list what was accepted, the next to expire first", _later("accept", "list_acceptances")
    )
    soon = _add(words, "expiring", "list what has expired or does so soon; exit 1 if anything does",
                _later("accept", "expiring"))  # fmt: skip
    soon.add_argument("--within", type=_positive, default=30, metavar="DAYS", help="how soon (default: 30)")
    for each in (add, listed, soon):
        _accepting(each)
        _folders(each)
    parser.set_defaults(acceptances=None, rules=[], config=None)


def _folders(parser: argparse.ArgumentParser, group: argparse._ActionsContainer | None = None) -> None:
    (group or parser).add_argument("--rules", action="append", default=[], metavar="DIR", help="a folder of rules of "
                                   "your own, besides the shipped ones (repeat for more)")  # fmt: skip
    _config(parser)


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", metavar="FILE", help="a configuration (default: auditor.yaml, if there)")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it is a number from 1 on")
    return number


def _judging(parser: argparse.ArgumentParser) -> None:
    judging = parser.add_argument_group("rules")
    _profile(judging)
    judging.add_argument("--select", action="append", default=[], metavar="RULE", help="only these rules "
                         "(id, glob, area/* or severity; comma-separated or repeated)")  # fmt: skip
    judging.add_argument("--ignore", action="append", default=[], metavar="RULE", help="all but these rules")
    _folders(parser, judging)


def _profile(group: argparse._ActionsContainer) -> None:
    group.add_argument("--profile", metavar="NAME|FILE", help="what is expected: `recommended` (default), "
                       "cis-azure-6.0, pci-4.0.1 ... or a file of your own that extends one")  # fmt: skip


def _output(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument("-f", "--format", action="append", default=[], metavar="NAME[=FILE]", dest="formats",
                        help=f"{', '.join(FORMAT_NAMES)} (default: console; repeat for more)")  # fmt: skip
    output.add_argument("-o", "--output", metavar="FILE|DIR", help="the file for one format, the folder for several")


def _talk(parser: argparse.ArgumentParser) -> None:
    if not any("--config" in action.option_strings for action in parser._actions):
        _config(parser)
    _quiet(parser)


def _quiet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
