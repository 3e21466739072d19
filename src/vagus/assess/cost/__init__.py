"""What a call cost, by list price."""
