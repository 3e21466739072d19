"""The simulated application behind `vagus demo`: a shop's customer support that answers with AI."""
