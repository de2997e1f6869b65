"""The az commands that remediations use, each with the arguments it takes, from the reference of the Azure CLI
(https://learn.microsoft.com/cli/azure/reference-index). A command that is not here is not refused for being wrong, but for
not having been looked up: look it up, and add it."""

GLOBAL = {"--output", "-o", "--query", "--subscription", "--only-show-errors", "--debug", "--verbose", "--help"}
COMMANDS: dict[str, str] = {}
