"""Where records are kept: tables of row versions, the journal that writes them, and the readers."""
