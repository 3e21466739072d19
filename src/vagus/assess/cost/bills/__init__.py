"""What providers say that was used and what it cost, to hold against the ledger."""
