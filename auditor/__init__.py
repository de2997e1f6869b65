"""The Azure Logging Auditor: could we reconstruct an attack from the logs this estate keeps?

The library in one screen; each room is imported by itself, so that the command line starts fast:

    from auditor.sources import open_file
    from auditor.assemble import assemble
    from auditor.judge import judge
    from auditor.rule import load_rules
    from auditor.formats import renderer

    collection = open_file(Path("contoso.snapshot"))   # place → documents
    inventory = assemble(collection)                   # documents → Inventory
    report = judge(inventory, load_rules())            # Inventory → Report
    text = renderer("html")(report)                    # Report → text

A live tenant is read by `auditor.sources.azure.collect.collect_now`.
"""

__version__ = "0.1.0"
