"""nbval compares the outputs of cells tagged keep-output, and of no others."""

from nbval.plugin import metadata_tags

metadata_tags["keep-output"] = "check"
