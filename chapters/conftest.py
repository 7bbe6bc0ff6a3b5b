"""nbval compares the outputs of cells tagged keep-output, and of no others."""

from nbval.plugin import IPyNbCell, metadata_tags

metadata_tags["keep-output"] = "check"
run = IPyNbCell.runtest


def runtest(cell):
    """Kept outputs are committed without a count, which nbval takes for a cell that never ran."""
    if cell.cell.outputs:
        cell.cell.execution_count = 0
    run(cell)


IPyNbCell.runtest = runtest
